//! Addresses of submodules: those that an option, a line's end or too many `../` hide in.
//!
//! Owns whether git would fetch from it by itself. Refuses to know what is there.
//!
//! Source: RFC 3986 and git's advisory for CVE-2020-11008.

/// Whether a submodule may have this address.
pub(super) fn is_allowed(url: &[u8]) -> bool {
    if url.starts_with(b"-") {
        return false;
    }
    if is_relative(url) || url.starts_with(b"git://") {
        let (ups, rest) = leading_ups(url);
        let escapes = ups > 0 && matches!(rest.first(), Some(b':' | b'/'));
        return !decode(url).contains(&b'\n') && !escapes;
    }
    match curl_url(url) {
        Some(url) => normalize(url).is_some_and(|normal| !decode(&normal).contains(&b'\n')),
        None => true,
    }
}

fn after_dots<'a>(url: &'a [u8], dots: &[u8]) -> Option<&'a [u8]> {
    match url.strip_prefix(dots)? {
        [b'/' | b'\\', rest @ ..] => Some(rest),
        _ => None,
    }
}

fn is_relative(url: &[u8]) -> bool {
    after_dots(url, b".").is_some() || after_dots(url, b"..").is_some()
}

/// How often it goes up at its start, and what follows.
fn leading_ups(mut url: &[u8]) -> (usize, &[u8]) {
    let mut ups = 0;
    loop {
        if let Some(rest) = after_dots(url, b"..") {
            (ups, url) = (ups + 1, rest);
        } else if let Some(rest) = after_dots(url, b".") {
            url = rest;
        } else {
            return (ups, url);
        }
    }
}

/// The address that git's HTTP and FTP transport would get.
fn curl_url(url: &[u8]) -> Option<&[u8]> {
    let forced = [&b"http::"[..], b"https::", b"ftp::", b"ftps::"];
    if let Some(rest) = forced.iter().find_map(|scheme| url.strip_prefix(*scheme)) {
        return Some(rest);
    }
    let schemes = [&b"http://"[..], b"https://", b"ftp://", b"ftps://"];
    schemes.iter().any(|scheme| url.starts_with(scheme)).then_some(url)
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let [high, low, ..] = bytes else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()
}

/// Resolves escapes behind the scheme; those that are none, and that of NUL, stay.
fn decode(url: &[u8]) -> Vec<u8> {
    let scheme = url.iter().position(|byte| *byte == b':').unwrap_or(0);
    let (scheme, mut rest) = url.split_at_checked(scheme).unwrap_or((&[], url));
    let mut out = scheme.to_vec();
    while let [byte, behind @ ..] = rest {
        match hex_pair(behind) {
            Some(value) if *byte == b'%' && value != 0 => {
                out.push(value);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*byte);
                rest = behind;
            }
        }
    }
    out
}

/// Appends `text`, escaping what has to be and nothing else. `None` for a `%` without two digits.
fn append_escaped(out: &mut Vec<u8>, mut text: &[u8]) -> Option<()> {
    while let [byte, behind @ ..] = text {
        let (byte, was_escaped) = if *byte == b'%' { (hex_pair(behind)?, true) } else { (*byte, false) };
        text = if was_escaped { behind.get(2..).unwrap_or_default() } else { behind };
        let unsafe_byte = byte <= 0x1f || byte >= 0x7f || b" <>\"%{}|\\^`".contains(&byte);
        if unsafe_byte || was_escaped && b":/?#[]@!$&'()*+,;=".contains(&byte) {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            out.push(byte);
        }
    }
    Some(())
}

/// The address in one normal form, or `None` if it is not valid. Case and default ports stay as they are, since nothing
/// here depends on them.
fn normalize(url: &[u8]) -> Option<Vec<u8>> {
    let at = url.windows(3).position(|bytes| bytes == b"://")?;
    let (scheme, rest) = url.split_at_checked(at)?;
    let rest = rest.strip_prefix(b"://")?;
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+.-".contains(byte);
    if !scheme.first()?.is_ascii_alphabetic() || !scheme.iter().all(is_scheme) {
        return None;
    }
    let mut out = scheme.to_ascii_lowercase();
    let is_file = out == b"file";
    out.extend_from_slice(b"://");
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    // The first `@` ends the user, whatever follows.
    let host = match authority.iter().position(|byte| *byte == b'@').and_then(|at| authority.split_at_checked(at)) {
        Some((user, host)) => {
            append_escaped(&mut out, user)?;
            out.push(b'@');
            host.strip_prefix(b"@")?
        }
        None => authority,
    };
    append_host(&mut out, host, is_file)?;
    append_path(&mut out, path)?;
    Some(out)
}

fn append_host(out: &mut Vec<u8>, host: &[u8], is_file: bool) -> Option<()> {
    let no_host = host.is_empty() || host.starts_with(b":");
    if no_host && !is_file {
        return None;
    }
    // The last colon begins the port, unless it is inside the brackets of an IPv6 address.
    let colon = host.iter().rposition(|byte| matches!(byte, b':' | b']')).filter(|at| host.get(*at) == Some(&b':'));
    let (name, port) = match colon.and_then(|at| host.split_at_checked(at)) {
        Some((name, port)) => (name, port.strip_prefix(b":")),
        None => (host, None),
    };
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_[:]".contains(byte);
    if !name.iter().all(is_host) {
        return None;
    }
    out.extend_from_slice(name);
    let Some(port) = port.filter(|port| !port.is_empty()) else { return Some(()) };
    let digits = std::str::from_utf8(port).ok()?;
    if is_file || !port.iter().all(u8::is_ascii_digit) || digits.trim_start_matches('0').len() > 5 {
        return None;
    }
    let number: u32 = digits.trim_start_matches('0').parse().ok()?;
    if number > 65_535 {
        return None;
    }
    out.extend_from_slice(format!(":{number}").as_bytes());
    Some(())
}

fn append_path(out: &mut Vec<u8>, path: &[u8]) -> Option<()> {
    let end = path.iter().position(|byte| b"?#".contains(byte)).unwrap_or(path.len());
    let (path, query) = path.split_at_checked(end)?;
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for part in path.strip_prefix(b"/").unwrap_or(path).split(|byte| *byte == b'/') {
        let mut escaped = Vec::new();
        append_escaped(&mut escaped, part)?;
        match escaped.as_slice() {
            b"." => {}
            b".." => drop(parts.pop()?),
            _ => parts.push(escaped),
        }
    }
    for part in parts {
        out.push(b'/');
        out.extend_from_slice(&part);
    }
    append_escaped(out, query)
}
