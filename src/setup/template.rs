//! The commented `slsart.toml` that `init` writes: every key, with its default.

use crate::workspace::Workspace;

const TEMPLATE: &str = r#"# Settings of git slsart; `git slsart -h` lists the commands.
# Every key is optional. What is commented out shows the default.

# The directories of this repository's services; empty: every directory with a serverless.yml or the like.
# services = []

# How packages are stored in the repository:
#   "auto"  in git objects; a file of more than `lfs-above` bytes in Git LFS, where git-lfs is installed
#   "git"   in git objects
#   "lfs"   archives in Git LFS; state and templates stay in git objects unless they are that large
# `git slsart migrate` converts what is recorded already.
# storage = "auto"
# lfs-above = "50 MiB"

# The stage and region that are used when the command line names none.
# Without them, the service's own configuration decides.
[defaults]
# stage = "STAGE"
# region = "REGION"

# Files that git ignores but packaging or deploying needs, relative to each service's directory. They are copied from
# your working tree into the worktree that a package is made in or deployed from. A directory includes all files in it.
[carry]
# paths = [".env", ".env.*"]

# Whether the installed plugins (node_modules) are saved in the repository too, so that a rollback needs no registry:
#   "deployed"  those of packages that are deployed
#   "always"    those of every package that `git slsart package` makes
#   "never"     only those that `git slsart toolchain save` saves
[toolchain]
# snapshot = "deployed"

# Before a deployment to these stages from a terminal, their name has to be typed.
[deploy]
# protected = []

# Only one deployment of a target runs at a time. Other machines see it by a lock ref on a remote, `refs/slsart-locks/…`:
#   "auto"  on `origin`, or on the only remote there is
#   "none"  on none: only deployments on this machine wait for each other
#   NAME    on that remote
[lock]
# remote = "auto"

# Which packages may be deployed. Packages and records of deployments are signed if git signs your commits.
# If `require` is true, a package without a trusted signature is refused. `signers` names a file of allowed
# signers (as for git's gpg.ssh.allowedSignersFile), relative to the repository's top or absolute; if it is empty, git's own
# settings decide.
[trust]
# require = false
# signers = ""

# Packages, notes and histories are shared by `git slsart push` and `fetch`, through a remote:
#   "auto"  `origin`, or the only remote there is
#   NAME    that one
[share]
# remote = "auto"

# When packages are sent there:
#   "manual"        by `git slsart push`
#   "with-commits"  also with their commits, by a `git push`: the pre-push hook does that
[push]
# packages = "manual"

# What to do with secrets that are found when a package is recorded:
#   "warn"     are recorded and pushed, with a warning
#   "refuse"   stop the recording
#   "encrypt"  what holds them is encrypted with age to `recipients`: public keys (age1…, ssh-ed25519 …), or files of them
# Without an action they are recorded on this machine, and not pushed before you decide with `git slsart secrets`.
[secrets]
# action = "warn"
# recipients = []
# Patterns of values that are not secret: a variable's name, a place, a file of the package or a file in an archive.
# allow = []

[hooks]
# After a commit:
#   "attach"   a package made with `git slsart package --in-place --allow-dirty` from exactly what was then committed
#              becomes the commit's package
#   "package"  as "attach"; without such a package, the commit is packaged in the background (`git slsart jobs` shows it)
#   "off"      nothing
# post-commit = "attach"
# The stages for which "package" packages; empty: the default stage.
# stages = []
# Before a push of these branches (or tags, as `tags/NAME`): warn if their commit has no package; empty: no warnings.
# protected = ["main", "master", "tags/*"]

# Whether notes and histories are fetched in the background after a merge, a pull and a checkout. The hooks for it are installed
# by `git slsart hooks install`.
[fetch]
# hooks = false
"#;

/// The file's text, with the stage and region of the repository's service where they can be told.
pub(super) fn text(workspace: &Workspace<'_>) -> String {
    let outline = workspace
        .repository
        .head()
        .and_then(|head| workspace.services(head).ok())
        .and_then(|services| services.into_iter().next()?.outline)
        .unwrap_or_default();
    let stage = outline.stage.as_ref().map_or("dev", |stage| stage.as_str());
    let region = outline.region.as_ref().map_or("us-east-1", |region| region.as_str());
    TEMPLATE.replace("STAGE", stage).replace("REGION", region)
}

#[cfg(test)]
mod tests {
    use super::TEMPLATE;
    use crate::config::Config;

    #[test]
    fn what_is_commented_out_is_valid_and_is_the_default() {
        let uncomment =
            |line: &'static str| line.strip_prefix("# ").filter(|line| line.contains(" = ")).unwrap_or(line);
        let text: String = TEMPLATE.lines().flat_map(|line| [uncomment(line), "\n"]).collect();
        let mut config = Config::parse(&text).unwrap();
        assert_eq!(config.defaults.stage.take().unwrap().as_str(), "STAGE");
        assert_eq!(config.defaults.region.take().unwrap().as_str(), "REGION");
        // Nothing is decided where the line stays out.
        assert_eq!(config.secrets.action.take(), Some(crate::package::secrets::SecretAction::Warn));
        assert_eq!(config, Config::default());
    }
}
