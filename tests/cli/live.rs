//! `git slsart live`, and what a deploy says where AWS gives no answer; the stand-in for the framework.

use snapbox::str;

use crate::sandbox::Sandbox;

/// Where nothing answers, with keys that are never sent.
fn cut_off() -> Sandbox {
    let mut sandbox = Sandbox::recorded();
    let variables = [
        ("SLSART_OFFLINE", ""),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "y"),
    ];
    sandbox.variables.extend(variables.map(|(name, value)| (name, value.to_owned())));
    sandbox
}

#[test]
fn live_needs_aws() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("live -s prod").is(str![[r#"
── stderr ──
Asking AWS
error: SLSART_OFFLINE is set: AWS is not asked
hint: unset SLSART_OFFLINE
── exit 1 ──

"#]]);
    sandbox.slsart("live -s dev").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the stage 'dev'
hint: stages with packages or deployments: prod
hint: to make a package: git slsart package -s dev
── exit 5 ──

"#]]);
}

#[cfg(feature = "aws")]
#[test]
fn a_deploy_that_cant_be_proven_is_one_all_the_same() {
    let sandbox = cut_off();
    let deploy = sandbox.slsart("deploy -s prod --yes");
    assert_eq!(deploy.code, 0, "{deploy}");
    assert!(deploy.stderr.contains("warning: not proven: AWS can't be reached: "), "{deploy}");
    assert!(!deploy.stdout.contains("Proof"), "{deploy}");
    let history = sandbox.slsart("history --json").json();
    let record = &history["targets"][0]["deployments"][0];
    assert_eq!((&record["outcome"], &record["proof"]["verdict"]), (&"succeeded".into(), &"unproven".into()));
    assert!(
        record["proof"]["problems"][0].as_str().unwrap().starts_with("AWS can't be reached"),
        "{record:#}"
    );

    // The plan falls back to the history, and says why; no question is asked again in vain.
    let plan = sandbox.slsart("deploy -s prod -n --json").succeeded().json();
    assert_eq!(plan["changes"]["against"], "the last recorded deployment");
    let because = plan["changes"]["because"].as_str().unwrap();
    assert!(because.starts_with("AWS can't be reached"), "{plan:#}");
    let checks = plan["checks"].as_array().unwrap().iter();
    let asked: Vec<_> = checks.filter(|check| check["message"] == because).collect();
    assert_eq!((asked.len(), &asked[0]["name"], &asked[0]["verdict"]), (1, &"aws".into(), &"warning".into()));

    let live = sandbox.slsart("live -s prod");
    assert_eq!(live.code, 1, "{live}");
    assert!(live.stderr.contains("hint: check the network, and AWS_ENDPOINT_URL where it is set"), "{live}");
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_without_aws_says_so() {
    let sandbox = cut_off();
    let deploy = sandbox.slsart("deploy -s prod --yes");
    assert_eq!(deploy.code, 0, "{deploy}");
    assert!(deploy.stderr.contains("warning: not proven: this build of git-slsart has no AWS"), "{deploy}");
    assert!(deploy.stderr.contains("  ! aws        this build of git-slsart has no AWS\n"), "{deploy}");
    let live = sandbox.slsart("live -s prod");
    assert_eq!(live.code, 1, "{live}");
    assert!(live.stderr.contains("error: this build of git-slsart has no AWS"), "{live}");
}
