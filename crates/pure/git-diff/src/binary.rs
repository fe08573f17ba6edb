//! Which files are text.

/// Bytes from the start of a file that are looked at.
const LOOKED_AT: usize = 8000;

/// Whether git takes a file's content for binary: there is a NUL among its first 8,000 bytes.
#[must_use]
pub fn is_binary(content: &[u8]) -> bool {
    content.get(..LOOKED_AT).unwrap_or(content).contains(&0)
}

#[cfg(test)]
mod tests {
    use super::is_binary;

    #[test]
    fn only_the_beginning_is_looked_at() {
        let mut content = vec![b'a'; 8001];
        content[8000] = 0;
        assert!(!is_binary(&content));
        content[7999] = 0;
        assert!(is_binary(&content));
    }
}
