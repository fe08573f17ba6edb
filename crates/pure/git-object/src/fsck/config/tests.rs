//! Files are read as `git config` reads them.

use super::{Config, Malformed};

fn read(text: &str) -> Result<Vec<(String, Option<String>)>, Malformed> {
    let (mut config, mut all) = (Config::new(text.as_bytes()), Vec::new());
    while let Some(variable) = config.variable()? {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        all.push((text(variable.name), variable.value.map(text)));
    }
    Ok(all)
}

#[test]
fn files_are_read_as_git_reads_them() {
    for text in [
        "[submodule \"a.b\"]\n\tpath = x y  ; comment\n\turl = \"  q \" z\\\n continued\r\n\tflag\n",
        "[Sub.Module]Key=1\n[a \"\\\"q\\\\\"] k = v#c\n",
        "\u{feff}[a]\nb = \"\\t\\n\"\n# x\n; y\nc-d=\n",
        "[a]\nb = unterminated \" quote\n",
        "[a\nb = c\n",
        "[a]\nb_c = d\n",
        "[a] b = \\q\n",
        "[a \"b\" ]\nc = d\n",
        "[]\na = b\n",
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("config");
        std::fs::write(&file, text).expect("written");
        let output = std::process::Command::new("git")
            .args(["config", "--null", "--list", "--file"])
            .arg(&file)
            .output()
            .expect("git runs");
        let git = output.status.success().then(|| {
            let listed = String::from_utf8(output.stdout).expect("text");
            let items = listed.split_terminator('\0').map(|item| match item.split_once('\n') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (item.to_owned(), None),
            });
            items.collect::<Vec<_>>()
        });
        assert_eq!(read(text).ok(), git, "{text}");
    }
}
