//! AWS's shared files, `config` and `credentials`: sections of settings, and settings below a setting.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Format of the config file".

use std::collections::HashMap;

use zeroize::Zeroizing;

/// A setting: its text, and the settings below it.
#[derive(Default)]
pub(crate) struct Setting {
    pub(crate) text: Zeroizing<String>,
    pub(crate) below: HashMap<String, String>,
}

/// The settings of a section, by their names in lower case.
pub(crate) type Settings = HashMap<String, Setting>;

/// Reads a file into its sections. Lines that are neither a section nor a setting are passed over, as AWS's tools do.
/// A section that occurs twice is one section.
pub(crate) fn parse(text: &str) -> HashMap<Section, Settings> {
    let mut sections: HashMap<Section, Settings> = HashMap::new();
    let mut section = None;
    let mut setting: Option<String> = None;
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(found) = header(line) {
            section = found;
            setting = None;
            if let Some(section) = &section {
                sections.entry(section.clone()).or_default();
            }
            continue;
        }
        let Some(settings) = section.as_ref().and_then(|section| sections.get_mut(section)) else { continue };
        let Some((name, value)) = line.split_once('=') else { continue };
        let (name, value) = (name.trim().to_ascii_lowercase(), without_comment(value));
        if line.starts_with([' ', '\t']) {
            let above = setting.as_ref().and_then(|above| settings.get_mut(above));
            if let Some(above) = above.filter(|above| above.text.is_empty()) {
                above.below.insert(name, value.to_owned());
                continue;
            }
        }
        let text = Zeroizing::new(value.to_owned());
        settings.insert(name.clone(), Setting { text, below: HashMap::new() });
        setting = Some(name);
    }
    sections
}

/// The subject of a section.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Section {
    /// `[name]`: in `credentials` a profile, in `config` only when it is `default`.
    Bare(String),
    /// `[profile name]`.
    Profile(String),
    /// `[services name]`.
    Services(String),
}

/// The section that a line begins: `None` when it begins none, and `Some(None)` when it begins one of another kind.
fn header(line: &str) -> Option<Option<Section>> {
    let inside = line.trim_end().strip_prefix('[')?;
    let inside = inside.split_once(']').map_or(inside, |(inside, _)| inside).trim();
    let unquoted = |name: &str| {
        let name = name.trim();
        let quoted = ['"', '\''].iter().find_map(|quote| name.strip_prefix(*quote)?.strip_suffix(*quote));
        quoted.unwrap_or(name).to_owned()
    };
    Some(match inside.split_once([' ', '\t']) {
        None => Some(Section::Bare(unquoted(inside))),
        Some(("profile", name)) => Some(Section::Profile(unquoted(name))),
        Some(("services", name)) => Some(Section::Services(unquoted(name))),
        Some(_) if inside.starts_with(['"', '\'']) => Some(Section::Bare(unquoted(inside))),
        Some(_) => None,
    })
}

/// The value without a comment, which begins with white space.
fn without_comment(value: &str) -> &str {
    let comment = value
        .char_indices()
        .zip(value.chars().skip(1))
        .find_map(|((at, before), mark)| (before.is_whitespace() && matches!(mark, '#' | ';')).then_some(at));
    comment.and_then(|at| value.get(..at)).unwrap_or(value).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_settings_and_those_below_are_read() {
        let text = "stray = 1\n# comment\n[default] ; mine\nRegion = us-east-1 # here\naws_secret_access_key=a#b;c=\n\
                    [profile \"two words\"]\nrole_arn = arn\nnot a setting\n[services local]\nkms =\n  endpoint_url = https://a\n\
                    \ts = 1\nsts = x\n  endpoint_url = y\n[sso-session z]\nregion = lost\n[default]\noutput = json\n";
        let sections = parse(text);
        let value =
            |section: Section, name: &str| sections.get(&section)?.get(name).map(|found| found.text.to_string());
        let default = || Section::Bare("default".to_owned());
        assert_eq!(value(default(), "region").as_deref(), Some("us-east-1"));
        assert_eq!(value(default(), "aws_secret_access_key").as_deref(), Some("a#b;c="));
        assert_eq!(value(default(), "output").as_deref(), Some("json"));
        assert_eq!(value(Section::Profile("two words".to_owned()), "role_arn").as_deref(), Some("arn"));
        let services = &sections[&Section::Services("local".to_owned())];
        assert_eq!(services["kms"].below["endpoint_url"], "https://a");
        assert_eq!(services["kms"].below["s"], "1");
        assert_eq!(services["endpoint_url"].text.as_str(), "y");
        assert_eq!(sections.len(), 3);
    }
}
