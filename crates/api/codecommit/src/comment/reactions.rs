//! The reactions that there are, each with its emoji, its short code and its code point.
//!
//! Source: AWS CodeCommit User Guide, "Comment on a pull request", emoji reactions.

/// A reaction.
pub(super) struct Reaction {
    /// The short code without colons.
    pub(super) code: &'static str,
    pub(super) emoji: &'static str,
    pub(super) unicode: &'static str,
}

macro_rules! reactions {
    ($($code:literal $emoji:literal $unicode:literal,)*) => {
        &[$(Reaction { code: $code, emoji: $emoji, unicode: $unicode },)*]
    };
}

/// All of them.
const REACTIONS: &[Reaction] = reactions! {
    "thumbsup" "\u{1F44D}" "U+1F44D",
    "thumbsdown" "\u{1F44E}" "U+1F44E",
    "smile" "\u{1F604}" "U+1F604",
    "heart" "\u{2764}" "U+2764",
    "angry" "\u{1F620}" "U+1F620",
    "confused" "\u{1F615}" "U+1F615",
    "scream" "\u{1F631}" "U+1F631",
    "sob" "\u{1F62D}" "U+1F62D",
    "clap" "\u{1F44F}" "U+1F44F",
    "confetti_ball" "\u{1F38A}" "U+1F38A",
    "ship" "\u{1F6A2}" "U+1F6A2",
    "eyes" "\u{1F440}" "U+1F440",
    "rocket" "\u{1F680}" "U+1F680",
};

impl Reaction {
    /// The reaction that a caller writes as emoji, short code or code point.
    pub(super) fn written(text: &str) -> Option<&'static Self> {
        let code = text.trim_matches(':').to_ascii_lowercase();
        // Emoji may be followed by what asks for their coloured form.
        let emoji = text.trim_end_matches('\u{FE0F}');
        let found =
            |known: &&Self| known.emoji == emoji || known.code == code || known.unicode.eq_ignore_ascii_case(text);
        REACTIONS.iter().find(found)
    }

    /// The reaction of a short code.
    pub(super) fn of_code(code: &str) -> Option<&'static Self> {
        REACTIONS.iter().find(|known| known.code == code)
    }

    /// The name by which they are counted.
    pub(super) fn name(&self) -> String {
        self.code.to_ascii_uppercase()
    }
}

#[cfg(test)]
mod tests {
    use super::Reaction;

    #[test]
    fn a_reaction_is_written_in_three_ways() {
        for text in ["\u{1F44D}", ":thumbsup:", "thumbsup", "U+1F44D", "u+1f44d"] {
            assert_eq!(Reaction::written(text).map(Reaction::name).as_deref(), Some("THUMBSUP"), "{text}");
        }
        assert!(Reaction::written("\u{2764}\u{FE0F}").is_some());
        assert!(Reaction::written(":none:").is_none() && Reaction::written("").is_none());
    }
}
