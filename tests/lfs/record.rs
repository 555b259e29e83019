//! Recording into LFS: which files, in what form, and what stock tools make of it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use snapbox::str;

use crate::sandbox::Sandbox;
use crate::{comes_back, links, package, recorded, store, without_lfs};

#[test]
fn a_pointer_stands_in_the_tree_that_stock_git_lfs_knows() {
    let sandbox = recorded();
    let name = package(&sandbox);
    let tree = sandbox.git(&format!("ls-tree -r --format='%(objectmode) %(path)' {name}"));
    snapbox::assert_data_eq!(
        tree,
        str![[r#"
100644 .gitattributes
100644 files/cloudformation-template-update-stack.json
100644 files/orders.zip
100644 files/serverless-state.json
100644 manifest.toml
"#]]
    );
    snapbox::assert_data_eq!(
        sandbox.git(&format!("cat-file blob {name}:files/orders.zip")),
        str![[r#"
version https://git-lfs.github.com/spec/v1
oid sha256:d05375d10b2f5752f6583108632cf43df890cf06abf533d989098191f772f975
size 153
"#]]
    );
    let listed = sandbox.git(&format!("lfs ls-files --long {name}"));
    assert!(listed.contains("orders.zip") && listed.lines().count() == 1, "{listed}");
    assert_eq!(sandbox.git(&format!("lfs fsck {name}")), "Git LFS fsck OK");
    // The content is in the store once, and our link is the same file.
    let (object, link) = (store(&sandbox).remove(0), links(&sandbox).remove(0));
    assert_eq!(fs::read(&object).unwrap(), fs::read(sandbox.beside("dist/orders.zip")).unwrap());
    assert_eq!(fs::metadata(object).unwrap().ino(), fs::metadata(link).unwrap().ino());
    sandbox.fsck();
    comes_back(&sandbox);
    sandbox.slsart("verify -q").succeeded();
}

#[test]
fn the_id_is_the_same_in_either_form_and_show_says_which() {
    let (lfs, git) = (recorded(), Sandbox::new());
    git.build("dist", "prod");
    git.slsart("record -q ../dist --storage git").succeeded();
    assert_eq!(package(&lfs), package(&git));
    let forms = |sandbox: &Sandbox| {
        let shown = sandbox.slsart("show --json").succeeded().json();
        let files = shown["files"].as_array().unwrap().iter();
        let forms = files.map(|file| (file["path"].as_str().unwrap(), file["form"].clone()));
        let forms: std::collections::HashMap<_, _> = forms.collect();
        (forms["orders.zip"].clone(), forms["serverless-state.json"].clone())
    };
    assert_eq!(forms(&lfs), ("lfs".into(), "git".into()));
    assert_eq!(forms(&git), ("git".into(), "git".into()));
    assert!(lfs.slsart("show").stdout.contains("orders.zip  153 B  lfs  "));
    assert!(!git.slsart("show").stdout.contains("  lfs  "));
}

#[test]
fn attributes_name_each_file_and_no_other() {
    let sandbox = Sandbox::new();
    let directory = sandbox.build("dist", "prod");
    let names = ["a b.zip", "[x]*.zip", "q\"uote.zip", "#1.zip", "!x.zip", "é.zip", "deep/what?.bin"];
    for name in names {
        fs::create_dir_all(directory.join(name).parent().unwrap()).unwrap();
        fs::write(directory.join(name), name).unwrap();
    }
    fs::write(directory.join("empty.bin"), "").unwrap();
    sandbox.slsart("record -q ../dist --storage lfs").succeeded();
    comes_back(&sandbox);
    let name = package(&sandbox);
    assert_eq!(sandbox.git(&format!("lfs fsck {name}")), "Git LFS fsck OK");
    // Asked of git itself, by way of an index that holds the package.
    let filter = |path: &str| {
        let mut command = sandbox.command("sh");
        command.env("GIT_INDEX_FILE", sandbox.beside("index")).args([
            "-ec",
            "git read-tree \"$1\" && git check-attr --cached -z filter -- \"files/$2\" | tr '\\0' '\\n' | tail -n 1",
            "sh",
            &name,
            path,
        ]);
        sandbox.outcome(&mut command).succeeded().stdout.trim().to_owned()
    };
    for name in names {
        assert_eq!(filter(name), "lfs", "{name}");
    }
    for other in ["empty.bin", "serverless-state.json", "x1.zip", "deep/whatx.bin", "below/a b.zip"] {
        assert_eq!(filter(other), "unspecified", "{other}");
    }
}

#[test]
fn without_git_lfs_lfs_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    let path = without_lfs(&sandbox);
    let before = sandbox.fingerprint();
    for line in ["record ../dist --storage lfs", "package -s prod --storage lfs"] {
        let outcome = sandbox.slsart_with(line, &[("PATH", &path)]);
        assert_eq!(outcome.code, 1, "{outcome}");
        assert!(
            outcome.stderr.starts_with("error: git-lfs is not installed\nhint: to install git-lfs: "),
            "{outcome}"
        );
    }
    sandbox.write("slsart.toml", "storage = \"lfs\"\n");
    assert_eq!(sandbox.slsart_with("record ../dist", &[("PATH", &path)]).code, 1);
    fs::remove_file(sandbox.path("slsart.toml")).unwrap();
    sandbox.is_as_before(&before);
    assert_eq!(sandbox.worktrees(), 1);
}

#[test]
fn auto_sends_what_is_large_to_lfs_where_it_can() {
    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    sandbox.slsart("record -q ../dist").succeeded();
    assert!(store(&sandbox).is_empty(), "153 bytes are not large by default");
    // The state file is; so is the zip, whose one entry is not: it is taken apart.
    let small = "lfs-above = \"150 B\"\n";
    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    sandbox.write("slsart.toml", small);
    sandbox.slsart("record ../dist").prints("Recorded  orders · prod · us-east-1  package be694c54 · 3 files · 1.3 kB\nCommit    12a1bee  Add the service\n");
    assert_eq!(store(&sandbox).len(), 1);
    comes_back(&sandbox);

    // Then its entry is too.
    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    sandbox.write("slsart.toml", "lfs-above = \"20 B\"\n");
    sandbox.slsart("record -q ../dist").succeeded();
    assert_eq!(store(&sandbox).len(), 2);
    comes_back(&sandbox);

    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    sandbox.write("slsart.toml", "lfs-above = \"20 B\"\n");
    let outcome = sandbox.slsart_with("record -q ../dist", &[("PATH", &without_lfs(&sandbox))]).succeeded();
    let warning = "warning: large files are kept in git objects, since git-lfs is not installed: orders.zip, serverless-state.json; ";
    assert!(outcome.stderr.starts_with(warning), "{outcome}");
    assert!(!sandbox.path(".git/lfs").exists());
    comes_back(&sandbox);
}

#[test]
fn the_command_line_beats_slsart_toml() {
    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    sandbox.write("slsart.toml", "storage = \"lfs\"\n");
    sandbox.slsart("record -q ../dist --storage git").succeeded();
    assert!(store(&sandbox).is_empty());
    sandbox.build("dist-dev", "dev");
    sandbox.slsart("record -q ../dist-dev").succeeded();
    assert_eq!(store(&sandbox).len(), 1);
}

#[test]
fn what_is_packaged_here_is_kept_the_same_way() {
    let sandbox = Sandbox::new();
    sandbox.slsart("package -s prod --storage lfs -q").succeeded();
    assert_eq!((store(&sandbox).len(), links(&sandbox).len()), (1, 1));
    assert_eq!(sandbox.git(&format!("lfs fsck {}", package(&sandbox))), "Git LFS fsck OK");
}

#[test]
fn a_wrong_size_is_an_error_that_says_what_is_right() {
    let sandbox = Sandbox::new();
    sandbox.write("slsart.toml", "lfs-above = \"much\"\n");
    let outcome = sandbox.slsart("log");
    assert_eq!(outcome.code, 1);
    assert!(outcome.stderr.contains("such as \"50 MiB\""), "{outcome}");
}

#[test]
fn an_object_that_is_damaged_in_the_store_is_written_again() {
    let sandbox = recorded();
    let object = store(&sandbox).remove(0);
    // In place: our link is the same file.
    let mut content = fs::read(&object).unwrap();
    content[0] ^= 1;
    fs::write(&object, content).unwrap();
    sandbox.build("dist-2", "prod");
    sandbox.change("Answer two");
    sandbox.slsart("record -q ../dist HEAD~ --storage lfs").succeeded();
    sandbox.slsart("record -q ../dist HEAD --storage lfs").succeeded();
    comes_back(&sandbox);
    assert_eq!(fs::read(&links(&sandbox)[0]).unwrap(), fs::read(&object).unwrap());
}
