//! Files that git ignores and a worktree needs: `[carry]`, and what is said where it lacks a pattern or has one too many.

use crate::sandbox::Sandbox;

/// A service whose framework reads `keys/prod.json`, which git ignores.
fn reads_a_key() -> Sandbox {
    let sandbox = Sandbox::new();
    let program = sandbox.read("tools/osls/osls.js");
    sandbox.write(
        "tools/osls/osls.js",
        program.replacen('\n', "\nrequire('fs').readFileSync('keys/prod.json');\n", 1),
    );
    sandbox.write(".gitignore", "node_modules/\n.serverless/\nkeys/\nslsart.toml\n");
    sandbox.commit("Read a key");
    sandbox.write("keys/prod.json", "{}");
    sandbox.write("keys/dev.json", "{}");
    sandbox
}

#[test]
fn an_ignored_file_that_a_worktree_lacks_is_named_with_its_pattern() {
    let sandbox = reads_a_key();
    let setting = "[carry]\npaths = [\".env\", \".env.*\", \"keys/\"]\n";
    let hint = "hint: 'keys/' is ignored by git, so a worktree does not have it; to copy it from your working tree, in slsart.toml \
                under [carry]: paths = [\".env\", \".env.*\", \"keys/\"]";
    // Whether the framework's output is shown as it comes or after it failed.
    for line in ["package -s prod -q", "package -s prod -v"] {
        let failed = sandbox.slsart(line);
        assert_eq!(failed.code, 3, "{failed}");
        assert!(failed.stderr.contains(hint), "{failed}");
        assert_eq!(failed.stderr.matches("ENOENT: no such file").count(), 1, "{failed}");
    }
    sandbox.write("slsart.toml", setting);
    sandbox.slsart("package -s prod -q").succeeded();

    sandbox.write("slsart.toml", "");
    for line in ["deploy -s prod --yes -q", "deploy -s prod --yes"] {
        let failed = sandbox.slsart(line);
        assert_eq!(failed.code, 3, "{failed}");
        assert!(failed.stderr.contains(hint), "{failed}");
    }
    sandbox.write("slsart.toml", setting);
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
}

#[test]
fn a_module_that_is_ignored_is_recognised_in_what_node_prints_in_colour() {
    let sandbox = reads_a_key();
    sandbox.write(
        "tools/osls/osls.js",
        "#!/usr/bin/env node\ntry { require(`${process.cwd()}/config.local`); } catch (error) {
         const [, name] = /'.*\\/(.*)'/.exec(error.message);
         console.log(`Cannot find module '\x1b[36m./${name}\x1b[39m'`);
         for (let line = 0; line < 100; line++) console.error('    at Module._load (node:internal/modules/cjs/loader:1)');
         process.exit(1);\n}\n",
    );
    sandbox.write(".gitignore", "node_modules/\n.serverless/\n*.local.js\n");
    sandbox.commit("Read a module");
    sandbox.write("config.local.js", "");
    for line in ["package -s prod -q", "package -s prod -v"] {
        let failed = sandbox.slsart(line);
        assert!(failed.stderr.contains("hint: 'config.local.js' is ignored by git"), "{failed}");
    }
}

#[test]
fn a_failure_that_has_nothing_to_do_with_ignored_files_names_none() {
    let sandbox = reads_a_key();
    sandbox.write("tools/osls/osls.js", "#!/usr/bin/env node\nthrow new Error('prod.jsonx is bad');\n");
    sandbox.commit("Fail otherwise");
    let failed = sandbox.slsart("package -s prod -q");
    assert_eq!(failed.code, 3, "{failed}");
    assert!(!failed.stderr.contains("[carry]"), "{failed}");
}

#[test]
fn a_file_that_only_the_configuration_names_is_named_too() {
    let sandbox = Sandbox::new();
    let config = sandbox.read("serverless.yml");
    sandbox.write("serverless.yml", format!("{config}custom: ${{file(./local.yml):custom}}\n"));
    sandbox.write(".gitignore", "node_modules/\n.serverless/\n*.local\nlocal.yml\n");
    sandbox.commit("Include a file");
    sandbox.write("local.yml", "custom: {}\n");
    let failed = sandbox.slsart_with("package -s prod -q", &[("STAND_IN", "fail")]);
    assert!(failed.stderr.contains("hint: 'local.yml' is ignored by git"), "{failed}");
    // What the commit has itself is in the worktree.
    sandbox.git("add --force local.yml");
    sandbox.commit("Commit it");
    let failed = sandbox.slsart_with("package -s prod -q", &[("STAND_IN", "fail")]);
    assert!(!failed.stderr.contains("[carry]"), "{failed}");
}

#[test]
fn a_pattern_that_matches_nothing_is_reported_when_packaging() {
    let sandbox = Sandbox::installed();
    sandbox.write(".gitignore", "node_modules/\n.serverless/\nkeys/\nslsart.toml\n");
    sandbox.commit("Ignore keys");
    sandbox.write("keys/prod.json", "{}");
    sandbox.write("slsart.toml", "[carry]\npaths = [\".env\", \"keyz/\", \"keys/\", \"handler.js\"]\n");
    let warning = "warning: [carry] in slsart.toml: no file that git ignores matches keyz/, handler.js\n";
    for place in ["--in-place", "--again"] {
        let packaged = sandbox.slsart(&format!("package -s prod -q {place}")).succeeded();
        assert_eq!(packaged.stderr, warning, "{packaged}");
    }
    sandbox.write("slsart.toml", "[carry]\npaths = [\".env\", \"keys/\"]\n");
    let packaged = sandbox.slsart("package -s prod -q --again").succeeded();
    assert_eq!(packaged.stderr, "", "{packaged}");
}
