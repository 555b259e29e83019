//! The commented `slsart.toml` that `init` writes: every key, with its default.

use crate::workspace::Workspace;

/// The file's text, with the stage and region of the repository's service where they can be told.
pub(super) fn text(workspace: &Workspace<'_>) -> String {
    let head = workspace.repository.head();
    let outline = head
        .and_then(|head| workspace.services(head).ok())
        .and_then(|services| services.into_iter().next())
        .and_then(|service| service.outline);
    let stage = outline.as_ref().and_then(|outline| outline.stage.clone());
    let region = outline.as_ref().and_then(|outline| outline.region.clone());
    let stage = stage.map_or_else(|| "dev".to_owned(), |stage| stage.to_string());
    let region = region.map_or_else(|| "us-east-1".to_owned(), |region| region.to_string());
    format!(
        r#"# Settings of git slsart; `git slsart --help` has its commands.
# Every key is optional. What is commented out shows the default.

# The directories that are services of this repository; empty: every directory with a serverless.yml or the like.
# services = []

# The stage and region that are meant when the command line names none.
# Without them, the service's own configuration decides.
[defaults]
# stage = {stage:?}
# region = {region:?}

# Files that git ignores and that packaging or deploying needs, relative to each service's directory. They are copied from
# your working tree into the worktree that a package is made in or deployed from. A directory stands for all in it.
[carry]
# paths = [".env", ".env.*"]

[hooks]
# After a commit:
#   "attach"   a package made with `git slsart package --in-place --allow-dirty` from exactly what was then committed
#              becomes the commit's package
#   "package"  that, and where there is none the commit is packaged in the background
#   "off"      nothing
# post-commit = "attach"
# The stages that "package" packages for; empty: the default stage.
# stages = []
"#
    )
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn what_is_commented_out_is_valid_and_is_the_default() {
        let text = std::fs::read_to_string(file!()).unwrap();
        let body = text.split("r##\"").nth(1).unwrap().split("\"#").next().unwrap();
        let uncommented: String = body
            .replace("{stage:?}", "\"dev\"")
            .replace("{region:?}", "\"us-east-1\"")
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = ")).unwrap_or(line))
            .flat_map(|line| [line, "\n"])
            .collect();
        let config = Config::parse(&uncommented).unwrap();
        assert_eq!((config.carry, config.hooks), (Config::default().carry, Config::default().hooks));
        assert_eq!(config.defaults.stage.unwrap().as_str(), "dev");
    }
}
