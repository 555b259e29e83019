//! Secrets in packages: found, shown by their places alone, decided about, encrypted. Tokens and keys are put together here, so that
//! no scanner takes this file for a leak.

use std::fs;
use std::path::PathBuf;

use git_slsart::text::command::in_text;
use snapbox::str;

use crate::sandbox::{Outcome, Sandbox, zip_of};

/// The public key of [`secret_key`], and another one that nobody has.
const RECIPIENT: &str = "age1lmt6fqp7w86qxkqysjg8vuhupyjy2amsu8ee90gw7cp9874e43ls8z9gp9";
const OTHER: &str = "age1y0d7xmlare7f375rqp8pegdsw47ez499pwyvq93s3kyldl2y6pwqq39ez6";

fn secret_key() -> String {
    ["AGE-SECRET", "-KEY-1LE6X57T6RTL9297GEFVN2FSQTK4KHVJWCAK2GR5M2XC0A6Q4PVLQEEAG4E"].concat()
}

fn token() -> String {
    ["gh", "p_", "1a2B3c4D5e6F7g8H9i0J1k2L3m4N5o6P7q8R"].concat()
}

const PASSWORD: &str = "s3cr3t-9x7q";
const SALT: &str = "correct horse battery 4711";

/// A package with secrets: a URL in its state, a token and the value of a variable in its code. The service's `.env` has the latter.
fn leaky(sandbox: &Sandbox, name: &str) -> PathBuf {
    let directory = sandbox.build(name, "prod");
    let path = directory.join("serverless-state.json");
    let state = fs::read_to_string(&path).unwrap();
    let url = format!("postgres://orders:{PASSWORD}@db.acme.io/orders");
    let variables =
        format!(r#""Environment": {{ "Variables": {{ "DB_URL": "{url}", "STAGE": "prod" }} }}, "Handler""#);
    let state = state.replacen(r#""Handler""#, &variables, 1);
    fs::write(path, state).unwrap();
    let config = format!("exports.salt = '{SALT}';\nexports.token = '{}';\n", token());
    let files: &[(&str, &[u8])] = &[
        ("config.js", config.as_bytes()),
        ("handler.js", b"exports.hello = async () => 1;\n"),
        ("node_modules/x/test.js", config.lines().last().unwrap().as_bytes()),
    ];
    fs::write(directory.join("orders.zip"), zip_of(files)).unwrap();
    sandbox.write(".env", format!("LOG_LEVEL=information\nPASSWORD_SALT='{SALT}'\n"));
    sandbox.write(".gitignore", ".env\nnode_modules\n");
    directory
}

fn configure(sandbox: &Sandbox, secrets: &str) {
    sandbox.write("slsart.toml", format!("[secrets]\n{secrets}\n"));
}

/// Fails where a secret's value is in an output.
#[track_caller]
fn silent(outcome: Outcome) -> Outcome {
    for value in [PASSWORD, SALT, &token()] {
        assert!(!outcome.stdout.contains(value) && !outcome.stderr.contains(value), "{outcome}");
    }
    outcome
}

/// Whether a value is in any object of the repository.
fn is_stored(sandbox: &Sandbox, value: &str) -> bool {
    let all = "git cat-file --batch-all-objects --batch --unordered";
    sandbox.shell(&format!("{all} | grep -aqF '{value}' && echo yes || echo no")).stdout.trim() == "yes"
}

#[test]
#[expect(clippy::too_many_lines, reason = "one repository that is asked several things")]
fn secrets_are_found_recorded_by_place_and_decided_about() {
    let sandbox = Sandbox::new();
    leaky(&sandbox, "dist");
    silent(sandbox.slsart("record ../dist")).is(str![[r#"
Recorded  orders · prod · us-east-1  package 3160aaaf · 3 files · 1.8 kB
Commit    12a1bee  Add the service
── stderr ──
Reading the package
Recording the package
warning: the package holds secrets, and is not pushed before you decide: orders.zip: config.js: line 1 (the value of PASSWORD_SALT); orders.zip: config.js: line 2 (github token); serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url); to decide: git slsart secrets

"#]]);
    silent(sandbox.slsart("secrets")).is(str![[r#"
Package    12a1bee  3160aaaf  orders · prod · us-east-1
           undecided: the package is not pushed
           orders.zip: config.js: line 1 (the value of PASSWORD_SALT)
           orders.zip: config.js: line 2 (github token)
           serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
to encrypt the secrets, with [secrets] recipients in slsart.toml: git slsart secrets encrypt 3160aaaf
to push them as they are: git slsart secrets allow 3160aaaf
for all packages: [secrets] action = "warn", or allow = ["NAME"] for what is no secret, in slsart.toml

"#]]);
    silent(sandbox.slsart("secrets list --json")).is(str![[r#"
{
  "dry_run": false,
  "packages": [
    {
      "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
      "package": "3160aaaff17c9def8cfb85ec69225851037d8f557a351dca02b0f78ea42fb347",
      "target": {
        "service": "orders",
        "path": ".",
        "stage": "prod",
        "region": "us-east-1"
      },
      "undecided": true,
      "recipients": [],
      "secrets": [
        {
          "file": "orders.zip",
          "entry": "config.js",
          "place": "line 1",
          "kind": "variable",
          "name": "PASSWORD_SALT"
        },
        {
          "file": "orders.zip",
          "entry": "config.js",
          "place": "line 2",
          "kind": "github-token"
        },
        {
          "file": "serverless-state.json",
          "place": "service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL",
          "kind": "password-in-url"
        }
      ],
      "more": 0
    }
  ],
  "unsearched": 0
}

"#]]);
    let manifest = sandbox
        .shell("git show $(git for-each-ref --format='%(refname)' refs/slsart/packages):manifest.toml");
    let manifest = silent(manifest).stdout;
    let (_, secrets) = manifest.split_once("[secrets]").unwrap();
    let (secrets, _) = secrets.split_once("[[plugin]]").unwrap();
    snapbox::assert_data_eq!(
        secrets,
        str![[r#"

scanner = 1
values = "b3c5"

[[secret]]
file = "orders.zip"
entry = "config.js"
place = "line 1"
kind = "variable"
name = "PASSWORD_SALT"

[[secret]]
file = "orders.zip"
entry = "config.js"
place = "line 2"
kind = "github-token"

[[secret]]
file = "serverless-state.json"
place = "service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL"
kind = "password-in-url"


"#]]
    );

    // The same bytes with the same values are not looked at twice, and still known.
    sandbox.change("Answer two");
    leaky(&sandbox, "again");
    silent(sandbox.slsart("record ../again -q")).is(str![[r#"
── stderr ──
warning: the package holds secrets, and is not pushed before you decide: orders.zip: config.js: line 1 (the value of PASSWORD_SALT); orders.zip: config.js: line 2 (github token); serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url); to decide: git slsart secrets

"#]]);

    silent(sandbox.slsart("secrets allow HEAD~ -n")).is(str![[r#"
Package    12a1bee  3160aaaf  orders · prod · us-east-1
           undecided: the package is not pushed
           orders.zip: config.js: line 1 (the value of PASSWORD_SALT)
           orders.zip: config.js: line 2 (github token)
           serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
to encrypt the secrets, with [secrets] recipients in slsart.toml: git slsart secrets encrypt 3160aaaf
to push them as they are: git slsart secrets allow 3160aaaf
for all packages: [secrets] action = "warn", or allow = ["NAME"] for what is no secret, in slsart.toml
── stderr ──
Searching 1 package

"#]]);
    silent(sandbox.slsart("secrets allow HEAD~")).is(str![[r#"
Allowed    12a1bee  3160aaaf  orders · prod · us-east-1
           allowed: they are pushed as they are
           orders.zip: config.js: line 1 (the value of PASSWORD_SALT)
           orders.zip: config.js: line 2 (github token)
           serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
── stderr ──
Searching 1 package

"#]]);
    sandbox.slsart("verify --all -q").succeeded();
    silent(sandbox.slsart("secrets -a")).is(str![[r#"
Package    f9862a9  3160aaaf  orders · prod · us-east-1
           undecided: the package is not pushed
           orders.zip: config.js: line 1 (the value of PASSWORD_SALT)
           orders.zip: config.js: line 2 (github token)
           serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
Package    12a1bee  3160aaaf  orders · prod · us-east-1
           allowed: they are pushed as they are
           orders.zip: config.js: line 1 (the value of PASSWORD_SALT)
           orders.zip: config.js: line 2 (github token)
           serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
to encrypt the secrets, with [secrets] recipients in slsart.toml: git slsart secrets encrypt 3160aaaf
to push them as they are: git slsart secrets allow 3160aaaf
for all packages: [secrets] action = "warn", or allow = ["NAME"] for what is no secret, in slsart.toml

"#]]);
    // What is no secret is named once, for all packages.
    configure(&sandbox, "allow = ['DB_URL', '*Variables.DB_URL', 'PASSWORD_SALT', '*.js']");
    silent(sandbox.slsart("secrets")).is(str![[r#"
no undecided secrets

"#]]);
    sandbox.fsck();
}

/// The commands that a text offers, as a shell runs them.
fn offered(text: &str) -> Vec<String> {
    in_text(text).into_iter().map(|range| text[range].to_owned()).collect()
}

/// A repository with an undecided package, recorded for two commits, one without secrets for a third, and a remote that lacks them.
fn undecided() -> Sandbox {
    let sandbox = Sandbox::new();
    leaky(&sandbox, "dist");
    sandbox.slsart("record ../dist -q").succeeded();
    sandbox.change("Answer two");
    sandbox.slsart("record ../dist -q").succeeded();
    sandbox.change("Answer three");
    sandbox.record("prod").succeeded();
    sandbox
        .shell("git init --quiet --bare ../origin.git && git remote add origin ../origin.git && git push --quiet origin main")
        .succeeded();
    sandbox.slsart("fetch -q").succeeded();
    sandbox
}

#[test]
fn an_undecided_package_is_withheld_and_the_others_go() {
    let sandbox = undecided();
    let status = silent(sandbox.slsart("status"));
    let pushed = silent(sandbox.slsart("push"));
    pushed.is(str![[r#"
Sent      7302ffb  b5cff989  orders · prod · us-east-1  1.3 kB
Withheld  package 3160aaaf of 12a1bee: undecided secrets: orders.zip: config.js: line 1 (the value of PASSWORD_SALT); orders.zip: config.js: line 2 (github token); serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
Withheld  package 3160aaaf of a04e0f5: undecided secrets: orders.zip: config.js: line 1 (the value of PASSWORD_SALT); orders.zip: config.js: line 2 (github token); serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
── stderr ──
Asking origin what it has
Sending packages to origin
Sending notes and histories to origin
error: 2 packages not pushed to origin
hint: to encrypt the secrets, with [secrets] recipients in slsart.toml: git slsart secrets encrypt 3160aaaf
hint: to push them as they are: git slsart secrets allow 3160aaaf
hint: for all packages: [secrets] action = "warn", or allow = ["NAME"] for what is no secret, in slsart.toml
── exit 1 ──

"#]]);
    let ways = offered(&pushed.stderr);
    assert_eq!(offered(&status.stdout)[1..], ways, "{status}");
    silent(sandbox.slsart("secrets")).is(str![[r#"
Package    a04e0f5  3160aaaf  orders · prod · us-east-1
           undecided: the package is not pushed
           orders.zip: config.js: line 1 (the value of PASSWORD_SALT)
           orders.zip: config.js: line 2 (github token)
           serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
Package    12a1bee  3160aaaf  orders · prod · us-east-1
           undecided: the package is not pushed
           orders.zip: config.js: line 1 (the value of PASSWORD_SALT)
           orders.zip: config.js: line 2 (github token)
           serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
to encrypt the secrets, with [secrets] recipients in slsart.toml: git slsart secrets encrypt 3160aaaf
to push them as they are: git slsart secrets allow 3160aaaf
for all packages: [secrets] action = "warn", or allow = ["NAME"] for what is no secret, in slsart.toml

"#]]);
    assert_eq!(offered(&sandbox.slsart("secrets").stdout), ways);
    // The command as it is printed decides about each commit's package.
    sandbox.shell(ways.last().unwrap()).succeeded();
    sandbox.slsart("push").succeeded();
    sandbox.slsart("status").is(str![[r#"
HEAD      7302ffb  Answer three
orders · prod · us-east-1
  ○ live  no deployment recorded
  ✓ HEAD  package b5cff989 · 1.3 kB
origin    up to date, as of 1 minute ago

"#]]);
}

#[test]
fn slsart_toml_decides_about_packages_that_were_recorded_before() {
    let sandbox = undecided();
    configure(&sandbox, "action = 'warn'");
    let warned = silent(sandbox.slsart("push -n")).succeeded();
    assert!(warned.stderr.contains("warning: package 3160aaaf holds secrets: orders.zip"), "{warned}");
    configure(&sandbox, "allow = ['*']");
    assert!(!sandbox.slsart("push -n").succeeded().stderr.contains("secrets"));
    configure(&sandbox, &format!("recipients = ['{RECIPIENT}']"));
    let outcome = sandbox.slsart("secrets encrypt 3160aaaf -q").succeeded();
    assert!(outcome.stderr.contains("none of your keys is a recipient"), "{outcome}");
    sandbox.slsart("push").succeeded();
}

#[test]
fn slsart_toml_decides_before_anything_is_recorded() {
    let sandbox = Sandbox::new();
    leaky(&sandbox, "dist");
    configure(&sandbox, "action = 'refuse'");
    let before = sandbox.fingerprint();
    silent(sandbox.slsart("record ../dist -q")).is(str![[r#"
── stderr ──
error: the package holds secrets, and slsart.toml refuses them: nothing was recorded
hint: orders.zip: config.js: line 1 (the value of PASSWORD_SALT)
hint: orders.zip: config.js: line 2 (github token)
hint: serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
hint: keep them in SSM or Secrets Manager, and let the function read them there
hint: to allow a value that is not a secret: allow = ["NAME"] in [secrets] of slsart.toml
── exit 1 ──

"#]]);
    sandbox.is_as_before(&before);
    assert!(!is_stored(&sandbox, PASSWORD));
    configure(&sandbox, "action = 'warn'\nallow = ['config.js']");
    silent(sandbox.slsart("record ../dist -q")).is(str![[r#"
── stderr ──
warning: the package holds secrets, and may be pushed: serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)

"#]]);
    silent(sandbox.slsart("secrets")).is(str![[r#"
no undecided secrets

"#]]);
    configure(&sandbox, "action = 'encrypt'");
    sandbox.slsart("record ../dist -q").is(str![[r#"
── stderr ──
error: [secrets] in slsart.toml names no recipient to encrypt to
hint: list the readers' public keys: recipients = ["age1…", "ssh-ed25519 AAAA…"]
── exit 1 ──

"#]]);
    configure(&sandbox, &format!("recipients = ['{}']", secret_key()));
    let outcome = sandbox.slsart("record ../dist -q");
    assert!(!outcome.stderr.contains(&secret_key()), "{outcome}");
    outcome.is(str![[r#"
── stderr ──
error: a recipient in slsart.toml is a secret key, and must be a public one
hint: to print the public key: age-keygen -y FILE
hint: the secret key is in a file of this repository: create a new key
── exit 1 ──

"#]]);
}

#[test]
fn what_holds_secrets_is_encrypted_and_the_rest_is_shared() {
    let sandbox = Sandbox::new();
    leaky(&sandbox, "dist");
    sandbox.write("keys.txt", format!("# the team\n{RECIPIENT}\n"));
    configure(&sandbox, "action = 'encrypt'\nrecipients = ['keys.txt']");
    silent(sandbox.slsart("record ../dist")).prints(str![[r#"
Recorded  orders · prod · us-east-1  package 3160aaaf · 3 files · 1.8 kB
Commit    12a1bee  Add the service

"#]]);
    assert!(!is_stored(&sandbox, PASSWORD) && !is_stored(&sandbox, SALT));
    let tree = "git ls-tree -r --name-only $(git for-each-ref --format='%(refname)' refs/slsart/packages)";
    snapbox::assert_data_eq!(
        sandbox.shell(tree).stdout,
        str![[r#"
files/cloudformation-template-update-stack.json
files/orders.zip/age/tree/config.js
files/orders.zip/recipe
files/orders.zip/tree/handler.js
files/orders.zip/tree/node_modules/x/test.js
files/serverless-state.json/age
manifest.toml

"#]]
    );

    // Without a key: what can be said is said, and nothing is taken for damaged.
    silent(sandbox.slsart("verify")).is(str![[r#"
? locked   12a1bee  3160aaaf  orders · prod · us-east-1
           not compared, since none of your keys decrypts them: orders.zip, serverless-state.json
── stderr ──
Verifying 1 package
error: 1 package can't be compared without a key
hint: name the file of your secret key: SLSART_IDENTITY=FILE, or git config slsart.identity FILE
── exit 1 ──

"#]]);
    sandbox.slsart("show -q").succeeded();
    silent(sandbox.slsart("extract HEAD -o ../out")).is(str![[r#"
── stderr ──
Extracting
error: 'orders.zip' is encrypted, and none of your keys decrypts it
  age: none of your identities is one of its recipients
hint: it is encrypted to: age1lmt6fqp7w86qxkqysjg8vuhupyjy2amsu8ee90gw7cp9874e43ls8z9gp9
hint: name the file of your secret key: SLSART_IDENTITY=FILE, or git config slsart.identity FILE
── exit 1 ──

"#]]);
    silent(sandbox.slsart("rollback HEAD -s prod -n")).is(str![[r#"
── stderr ──
error: 'orders.zip' is encrypted, and none of your keys decrypts it
  age: none of your identities is one of its recipients
hint: it is encrypted to: age1lmt6fqp7w86qxkqysjg8vuhupyjy2amsu8ee90gw7cp9874e43ls8z9gp9
hint: name the file of your secret key: SLSART_IDENTITY=FILE, or git config slsart.identity FILE
── exit 1 ──

"#]]);
    sandbox.slsart("log -q").succeeded();

    // With one, all is as it was.
    fs::write(sandbox.beside("home/key"), secret_key() + "\n").unwrap();
    let key = [("SLSART_IDENTITY", sandbox.beside("home/key").to_str().unwrap().to_owned())];
    let key: Vec<(&str, &str)> = key.iter().map(|(name, value)| (*name, value.as_str())).collect();
    silent(sandbox.slsart_with("verify", &key)).is(str![[r#"
✓ intact   12a1bee  3160aaaf  orders · prod · us-east-1
── stderr ──
Verifying 1 package

"#]]);
    sandbox.git("config slsart.identity ~/key");
    sandbox.slsart("extract HEAD -o ../out -q").succeeded();
    sandbox.shell("diff -r ../dist ../out").succeeded();
    silent(sandbox.slsart("rollback HEAD -s prod -n -q")).succeeded();

    // The next package encrypts nothing anew that is the same.
    let sealed = "git rev-parse $(git for-each-ref --format='%(refname)' refs/slsart/packages | sed 's,$,:files/orders.zip/age/tree/config.js,')";
    sandbox.change("Answer two");
    let next = leaky(&sandbox, "next");
    let config = format!("exports.salt = '{SALT}';\nexports.token = '{}';\n", token());
    let files: &[(&str, &[u8])] =
        &[("config.js", config.as_bytes()), ("handler.js", b"exports.hello = async () => 2;\n")];
    fs::write(next.join("orders.zip"), zip_of(files)).unwrap();
    sandbox.slsart("record ../next -q").succeeded();
    let ids = sandbox.shell(sealed).stdout;
    let ids: Vec<&str> = ids.lines().collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
    silent(sandbox.slsart("diff HEAD~ HEAD -q")).is(str![[r#"
From  12a1bee  Add the service  package 3160aaaf · orders · prod · us-east-1
To    db1758b  Answer two  package e890c5c9 · orders · prod · us-east-1

~ function hello  code (2 files, +1 −2)

orders.zip
  ~ handler.js  +1 −1
  - node_modules/x/test.js  +0 −1

1 commit
  + db1758b  Answer two

"#]]);
    sandbox.fsck();
}

#[test]
fn a_recorded_package_is_encrypted_afterwards_and_again_to_others() {
    let sandbox = Sandbox::new();
    leaky(&sandbox, "dist");
    sandbox.slsart("record ../dist -q").succeeded();
    let before = sandbox.slsart("log --json").json();
    sandbox.slsart("secrets encrypt").is(str![[r#"
── stderr ──
Searching 1 package
error: [secrets] in slsart.toml names no recipient to encrypt to
hint: list the readers' public keys: recipients = ["age1…", "ssh-ed25519 AAAA…"]
── exit 1 ──

"#]]);
    fs::write(sandbox.beside("home/key"), secret_key() + "\n").unwrap();
    sandbox.git("config slsart.identity ~/key");
    configure(&sandbox, &format!("recipients = ['{RECIPIENT}']"));
    silent(sandbox.slsart("secrets encrypt -n")).is(str![[r#"
Package    12a1bee  3160aaaf  orders · prod · us-east-1
           undecided: the package is not pushed
           orders.zip: config.js: line 1 (the value of PASSWORD_SALT)
           orders.zip: config.js: line 2 (github token)
           serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
to encrypt the secrets, with [secrets] recipients in slsart.toml: git slsart secrets encrypt 3160aaaf
to push them as they are: git slsart secrets allow 3160aaaf
for all packages: [secrets] action = "warn", or allow = ["NAME"] for what is no secret, in slsart.toml
── stderr ──
Searching 1 package

"#]]);
    silent(sandbox.slsart("secrets encrypt")).is(str![[r#"
Encrypted  12a1bee  3160aaaf  orders · prod · us-east-1
           encrypted to age1lmt6fqp7w86qxkqysjg8vuhupyjy2amsu8ee90gw7cp9874e43ls8z9gp9
           orders.zip: config.js: line 1 (the value of PASSWORD_SALT)
           orders.zip: config.js: line 2 (github token)
           serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
── stderr ──
Searching 1 package

"#]]);
    assert_eq!(sandbox.slsart("log --json").json()["packages"], before["packages"]);
    sandbox.shell("git reflog expire --expire=now --all && git gc -q --prune=now").succeeded();
    assert!(!is_stored(&sandbox, PASSWORD) && !is_stored(&sandbox, SALT));
    sandbox.slsart("verify -q").succeeded();
    // Whoever has not the values any more encrypts no less.
    fs::remove_file(sandbox.path(".env")).unwrap();
    configure(&sandbox, &format!("recipients = ['{OTHER}', '{RECIPIENT}']"));
    silent(sandbox.slsart("secrets encrypt -q")).succeeded();
    assert!(!is_stored(&sandbox, SALT));
    sandbox.slsart("verify -q").succeeded();
    silent(sandbox.slsart("migrate --to git -q")).succeeded();
    sandbox.fsck();
}

#[test]
fn packages_of_before_are_searched_when_asked_and_ssh_keys_do() {
    let sandbox = Sandbox::new();
    leaky(&sandbox, "dist");
    sandbox.slsart("record ../dist -q").succeeded();
    // As an earlier version wrote it.
    sandbox
        .shell(
            "ref=$(git for-each-ref --format='%(refname)' refs/slsart/packages)
             git show $ref:manifest.toml | awk '/^\\[secrets\\]|^\\[\\[secret\\]\\]/ {skip=1; next} /^\\[/ {skip=0} !skip' >../manifest
             export GIT_INDEX_FILE=../index
             git read-tree $ref
             git update-index --cacheinfo 100644,$(git hash-object -w ../manifest),manifest.toml
             git update-ref $ref $(git commit-tree $(git write-tree) -p HEAD -m old)
             ssh-keygen -q -t ed25519 -N '' -C dana -f ../home/id
             mkdir ../home/.ssh; cp ../home/id ../home/.ssh/id_ed25519",
        )
        .succeeded();
    silent(sandbox.slsart("secrets")).is(str![[r#"
no undecided secrets
1 package recorded before packages were searched: git slsart secrets scan --all

"#]]);
    silent(sandbox.slsart("secrets scan")).is(str![[r#"
Searched   12a1bee  3160aaaf  orders · prod · us-east-1
           undecided: the package is not pushed
           orders.zip: config.js: byte 17 (the value of PASSWORD_SALT)
           orders.zip: config.js: byte 67 (github token)
           serverless-state.json: service.provider.compiledCloudFormationTemplate.Resources.HelloLambdaFunction.Properties.Environment.Variables.DB_URL (password in url)
to encrypt the secrets, with [secrets] recipients in slsart.toml: git slsart secrets encrypt 3160aaaf
to push them as they are: git slsart secrets allow 3160aaaf
for all packages: [secrets] action = "warn", or allow = ["NAME"] for what is no secret, in slsart.toml
── stderr ──
Searching 1 package

"#]]);
    sandbox.write("keys/team.pub", fs::read(sandbox.beside("home/id.pub")).unwrap());
    configure(&sandbox, "recipients = ['keys/team.pub']");
    silent(sandbox.slsart("secrets encrypt -q")).succeeded();
    sandbox.slsart("verify -q").succeeded();
    // A key with a passphrase is not asked for.
    sandbox.shell("ssh-keygen -q -p -P '' -N wordpass -f ../home/.ssh/id_ed25519").succeeded();
    let outcome = silent(sandbox.slsart("extract HEAD -o ../out -q"));
    assert!(outcome.stderr.contains("protected by a passphrase") && outcome.code == 1, "{outcome}");
}
