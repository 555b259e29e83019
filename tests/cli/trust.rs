//! Signed packages, `verify --signatures`, `sign`, and `[trust]`: who is known, and what is refused of the others. With real keys.

use snapbox::str;

use crate::history::with_ssh_key;
use crate::sandbox::{Outcome, Sandbox};

const REQUIRED: &str = "[trust]\nrequire = true\nsigners = \"trusted\"\n";

/// Writes the keys of `names`, made beside the repository, into the file that `[trust]` names.
fn trust(sandbox: &Sandbox, names: &[&str]) {
    let key = |name: &&str| {
        std::fs::read_to_string(sandbox.beside(&format!("{name}.pub")))
            .map(|key| format!("{name} {key}"))
            .unwrap()
    };
    sandbox.write("trusted", names.iter().map(key).collect::<String>());
}

/// Makes git sign with another key, `name`.
fn with_key_of(sandbox: &Sandbox, name: &str) {
    sandbox
        .shell(&format!(
            "[ -e ../{name} ] || ssh-keygen -q -t ed25519 -N '' -C {name} -f ../{name}
             git config user.signingKey \"$(cd .. && pwd)/{name}.pub\""
        ))
        .succeeded();
}

/// The first error that a command told, which must have ended so.
#[track_caller]
fn refused(outcome: &Outcome, code: i32) -> &str {
    assert_eq!(outcome.code, code, "{outcome}");
    outcome.stderr.lines().find(|line| line.starts_with("error:")).unwrap()
}

#[test]
fn packages_are_signed_as_commits_are_and_verify_says_by_whom() {
    let sandbox = Sandbox::recorded();
    sandbox.change("Answer two");
    with_ssh_key(&sandbox);
    sandbox.record("prod");
    let signed =
        sandbox.git("for-each-ref --sort=-committerdate --count=1 --format=%(refname) refs/slsart/packages");
    sandbox.git(&format!("verify-commit {signed}"));
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.slsart("verify --signatures").is(str![[r#"
✓ intact   c126563  e4ccfcce  orders · prod · us-east-1
           ✓ signed by dana@example.org
history    orders · prod · us-east-1
           ✓ signed by dana@example.org  2 records
── stderr ──
Verifying 1 package

"#]]);
    sandbox.slsart("verify --signatures --all").is(str![[r#"
✓ intact   c126563  e4ccfcce  orders · prod · us-east-1
           ✓ signed by dana@example.org
✓ intact   12a1bee  be694c54  orders · prod · us-east-1
           ! unsigned
history    orders · prod · us-east-1
           ✓ signed by dana@example.org  2 records
── stderr ──
Verifying 2 packages
error: 1 of 2 packages is not signed with a trusted key
hint: to sign one that you vouch for: git slsart sign be694c54
── exit 1 ──

"#]]);
    sandbox.slsart("verify --all").succeeded();
    let report = sandbox.slsart("verify --signatures --json").succeeded().json();
    assert_eq!(report["packages"][0]["signature"]["signer"], "dana@example.org");
    assert_eq!(report["histories"][0]["signatures"][1]["verdict"], "good");
    // Recording the same again changes nothing.
    let before = sandbox.fingerprint();
    sandbox.record("prod");
    sandbox.is_as_before(&before);

    // A replacement is judged by nobody: what is deployed is the package.
    let id = sandbox.git(&format!("rev-parse {signed}"));
    sandbox
        .shell(&format!(
            "forged=$(git cat-file commit {id} | sed 's/^Package/Forged/' | git hash-object -w -t commit --stdin)
             git update-ref {signed} $forged
             git replace $forged {id}"
        ))
        .succeeded();
    let forged = sandbox.slsart("verify --signatures");
    assert_eq!(refused(&forged, 4), "error: 1 of 1 package has a bad signature");
    assert!(forged.stdout.contains("✗ bad signature"), "{forged}");
    // That it is bad is refused though no signature is asked for.
    let deployed = sandbox.slsart("deploy -s prod --yes --again");
    assert!(refused(&deployed, 4).starts_with("error: the package's signature"), "{deployed}");
    assert!(refused(&sandbox.slsart("sign"), 4).contains("has a bad signature, and is not signed again"));
    sandbox.fsck();
}

#[test]
fn where_signatures_are_required_only_packages_of_known_signers_are_deployed() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    let first = sandbox.git("rev-parse HEAD");
    with_ssh_key(&sandbox);
    // The commit to go back to asks for nothing, and is not asked.
    sandbox.write("slsart.toml", REQUIRED);
    trust(&sandbox, &[]);
    sandbox.commit("Require signatures");
    sandbox.slsart("rollback HEAD~ -s prod --yes").is(str![[r#"
── stderr ──
Live      12a1bee  Add the service  deployed 6 minutes ago by Dana
Restore   12a1bee  Add the service  package be694c54 · 1.3 kB · 7 minutes ago · osls 4.3.1
  = 1 resource unchanged
! by the history, this package is live already
  ✗ signature  the package is not signed, and [trust] in slsart.toml requires a trusted signature
  ! signature  1 record that says what is live: no trusted signature; the history may be wrong
    hint:     git slsart history --verify -s prod
error: the package is not signed, and [trust] in slsart.toml requires a trusted signature
hint: once you have checked the package, sign it: git slsart sign be694c54
── exit 1 ──

"#]]);
    let checked = sandbox.slsart("rollback HEAD~ -s prod -n --json");
    assert_eq!(checked.code, 1, "{checked}");
    let checks = checked.json()["checks"].as_array().unwrap().clone();
    let check = checks.iter().find(|check| check["name"] == "signature").unwrap();
    assert_eq!(check["verdict"], "blocks");

    // Signed, and by nobody who is known: the list that git itself goes by does not count.
    sandbox.slsart(&format!("sign {first}")).is(str![[r#"
Signed   12a1bee  be694c54  orders · prod · us-east-1
── stderr ──
Verifying and signing 1 package

"#]]);
    sandbox.git(&format!("verify-commit refs/slsart/packages/{first}/{}", package(&sandbox)));
    let unknown = sandbox.slsart("rollback HEAD~ -s prod --yes");
    assert!(refused(&unknown, 1).contains("the package is signed by SHA256:"), "{unknown}");
    assert!(unknown.stderr.contains("/trusted; once you have checked the package, sign it: "), "{unknown}");
    assert_eq!(sandbox.slsart("verify --signatures HEAD~").code, 1);

    // The one who signed becomes known.
    sandbox.shell("sed 's/^/dana /' ../key.pub >trusted").succeeded();
    sandbox.slsart(&format!("sign {first}")).is(str![[r#"
Already  12a1bee  be694c54  orders · prod · us-east-1  signed by dana
── stderr ──
Verifying and signing 1 package

"#]]);
    sandbox.slsart("rollback HEAD~ -s prod --yes").is(str![[r#"
Live      12a1bee  Add the service on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
── stderr ──
Live      12a1bee  Add the service  deployed 15 minutes ago by Dana
Restore   12a1bee  Add the service  package be694c54 · 1.3 kB · 16 minutes ago · osls 4.3.1
  = 1 resource unchanged
! by the history, this package is live already
  ! signature  1 record that says what is live: no trusted signature; the history may be wrong
    hint:     git slsart history --verify -s prod

"#]]);
    sandbox.slsart("verify --signatures --all").succeeded();

    // Without the file nobody is known.
    sandbox.shell("rm trusted").succeeded();
    let missing = sandbox.slsart("rollback HEAD~ -s prod --yes");
    assert!(refused(&missing, 1).contains("the file `signers` of [trust] in slsart.toml can't be read"));
    // It may stand elsewhere.
    sandbox.write("slsart.toml", "[trust]\nrequire = true\nsigners = \"~/trusted\"\n");
    sandbox.shell("sed 's/^/dana /' ../key.pub >\"$HOME/trusted\"").succeeded();
    sandbox.slsart("rollback HEAD~ -s prod --yes -q").succeeded();

    let check = sandbox.slsart("check -s prod");
    assert!(check.stdout.contains("✗ package"), "{check}");
    sandbox.record("prod");
    let check = sandbox.slsart("check -s prod");
    assert!(check.stdout.contains("✓ signature  signed by dana"), "{check}");
}

/// The id of HEAD's parent's only package.
fn package(sandbox: &Sandbox) -> String {
    let list = sandbox.slsart("log --all --json").json();
    list["packages"].as_array().unwrap().last().unwrap()["package"].as_str().unwrap().to_owned()
}

#[test]
fn a_ban_holds_whoever_wrote_it_and_is_lifted_by_somebody_known() {
    let sandbox = Sandbox::recorded();
    with_ssh_key(&sandbox);
    with_key_of(&sandbox, "mallory");
    sandbox.slsart("sign -q").succeeded();
    // Banned, and the ban lifted, by somebody who is not known.
    sandbox.slsart("ban HEAD -m 'loses orders'").succeeded();
    sandbox.slsart("unban HEAD").succeeded();
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.write("slsart.toml", REQUIRED);
    with_key_of(&sandbox, "dana");
    trust(&sandbox, &["dana"]);
    let banned = sandbox.slsart("deploy -s prod --yes");
    assert!(refused(&banned, 1).contains("must not be deployed: banned by Dana"), "{banned}");
    sandbox.git("config commit.gpgSign false");
    sandbox.slsart("unban HEAD").is(str![[r#"
── stderr ──
error: [trust] in slsart.toml requires signatures: only a signed record lifts a ban
hint: to sign what git slsart records: git config commit.gpgSign true
── exit 1 ──

"#]]);
    sandbox.git("config commit.gpgSign true");
    with_key_of(&sandbox, "mallory");
    sandbox.slsart("unban HEAD").is(str![[r#"
Lifted    12a1bee  Add the service  package be694c54 · orders · prod · us-east-1
── stderr ──
error: [trust] in slsart.toml requires signatures: only a signed record lifts a ban, and the key that signed this one is not trusted
hint: the trusted keys are those of `signers` in slsart.toml, or of git's own settings
── exit 1 ──

"#]]);
    with_key_of(&sandbox, "dana");
    sandbox.slsart("unban HEAD -q").succeeded();
    let unknown = sandbox.slsart("deploy -s prod --yes");
    assert!(refused(&unknown, 1).contains("the package is signed by SHA256:"), "{unknown}");

    // A lift of one package's ban is none of another's.
    let lift = sandbox.git("for-each-ref --format=%(objectname) refs/slsart/bans");
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.slsart("ban HEAD -m 'loses more'").succeeded();
    let other =
        sandbox.git("for-each-ref --sort=-committerdate --count=1 --format=%(refname) refs/slsart/bans");
    sandbox.git(&format!("update-ref {other} {lift}"));
    let moved = sandbox.slsart("deploy -s prod --yes");
    assert!(refused(&moved, 4).contains("the package may be banned"), "{moved}");
}

#[test]
fn a_changed_form_is_signed_anew_where_the_signature_was_good() {
    let sandbox = Sandbox::recorded();
    with_ssh_key(&sandbox);
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.shell("sed 's/^/dana /' ../key.pub >../signers").succeeded();
    let migrated = sandbox.slsart("migrate --all --to lfs").succeeded();
    assert!(!migrated.stderr.contains("warning"), "{migrated}");
    // The one that was not signed is not vouched for.
    let verified = sandbox.slsart("verify --signatures --all");
    assert_eq!(refused(&verified, 1), "error: 1 of 2 packages is not signed with a trusted key");
    assert!(verified.stdout.contains("✓ signed by dana"), "{verified}");
    sandbox.fsck();

    // Nobody who is known any more, and nobody to sign.
    sandbox.shell("echo >../signers").succeeded();
    let unknown = sandbox.slsart("migrate HEAD --to git").succeeded();
    assert!(unknown.stderr.contains("was of the old form and is removed, since it could not be verified"));
    let verified = sandbox.slsart("verify --signatures");
    assert!(verified.stdout.contains("! unsigned"), "{verified}");
    sandbox.shell("sed 's/^/dana /' ../key.pub >../signers").succeeded();
    sandbox.slsart("sign -q").succeeded();
    sandbox.git("config commit.gpgSign false");
    let unsigned = sandbox.slsart("migrate HEAD --to lfs").succeeded();
    assert!(
        unsigned.stderr.contains("git does not sign commits here; to sign it: git slsart sign "),
        "{unsigned}"
    );
    sandbox.slsart("verify --all").succeeded();
}

#[test]
fn a_commit_takes_a_signed_package_over_signed() {
    let sandbox = Sandbox::installed();
    with_ssh_key(&sandbox);
    sandbox.slsart("init").succeeded();
    sandbox.write("handler.js", "exports.hello = async () => 2;\n");
    sandbox.slsart("package --in-place --allow-dirty -s prod -q").succeeded();
    sandbox.git("add --all");
    sandbox.git("commit --quiet -m 'Answer two'");
    let verified = sandbox.slsart("verify --signatures").succeeded();
    assert!(verified.stdout.contains("✓ signed by dana@example.org"), "{verified}");
}

#[test]
fn what_cannot_be_signed_is_not_recorded_but_by_a_hook_which_asks_nobody() {
    let sandbox = Sandbox::new();
    with_ssh_key(&sandbox);
    sandbox.shell("ssh-keygen -q -p -P '' -N secret -f ../key").succeeded();
    sandbox.build("dist", "prod");
    let refused = sandbox.slsart("record ../dist");
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("error: the package can't be signed, and `commit.gpgSign` requires it"));
    assert_eq!(sandbox.git("for-each-ref refs/slsart refs/notes"), "");
    let head = sandbox.git("rev-parse HEAD");
    let packaged = sandbox.slsart(&format!("hook package {head}")).succeeded();
    assert!(
        packaged
            .stderr
            .contains("the package is not signed, since there is no terminal to ask for a passphrase"),
        "{packaged}"
    );
    assert_eq!(sandbox.slsart("verify --signatures").code, 1);
    let asked = sandbox.slsart("sign");
    assert!(asked.stderr.contains("error: the package can't be signed\n"), "{asked}");
    assert!(
        asked.stderr.contains("hint: to see which key git signs with: git config user.signingKey"),
        "{asked}"
    );
    sandbox.fsck();
}

#[test]
fn gpg_signs_too_and_asks_nobody_in_a_hook() {
    let mut sandbox = Sandbox::recorded();
    let home = sandbox.beside("gnupg");
    sandbox.variables.push(("GNUPGHOME", home.to_str().unwrap().to_owned()));
    sandbox
        .shell(
            "mkdir -m 700 \"$GNUPGHOME\"
             gpg --batch --quiet --passphrase '' --quick-gen-key 'Dana <dana@example.org>' ed25519 sign 0
             gpg --batch --quiet --pinentry-mode loopback --passphrase secret --quick-gen-key kim ed25519 sign 0
             git config user.signingKey dana@example.org",
        )
        .succeeded();
    sandbox.slsart("sign").succeeded();
    let verified = sandbox.slsart("verify --signatures").succeeded();
    assert!(verified.stdout.contains("✓ signed by Dana <dana@example.org>"), "{verified}");
    // A list of SSH keys knows no others.
    sandbox.write("slsart.toml", REQUIRED);
    sandbox.write("trusted", "");
    let unknown = sandbox.slsart("verify --signatures");
    assert!(unknown.stdout.contains("it is not an SSH signature"), "{unknown}");
    sandbox.shell("rm slsart.toml trusted").succeeded();
    // A passphrase that no agent knows.
    let head = sandbox.change("Answer two");
    sandbox
        .shell("git config user.signingKey kim && git config commit.gpgSign true && gpgconf --kill gpg-agent")
        .succeeded();
    let packaged = sandbox.slsart(&format!("hook package {head}")).succeeded();
    assert!(
        packaged
            .stderr
            .contains("the package is not signed, since there is no terminal to ask for a passphrase"),
        "{packaged}"
    );
    sandbox.shell("gpgconf --kill gpg-agent").succeeded();
}
