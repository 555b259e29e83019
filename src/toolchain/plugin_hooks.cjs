// Tells which lifecycle events each plugin hooks: `node -e THIS -- FRAMEWORK_DIRECTORY PLUGINS LOCAL_PATH ARGUMENT…`, in the
// service's directory. The framework loads its plugins itself, in its own way, and is stopped before it does anything else;
// where it can't be asked, each plugin is loaded by itself. Prints one line: slsart-hooks {"plugin": ["event", …]}.
'use strict';

const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const [directory, listed, localPath, ...words] = process.argv.slice(1);
let told = false;

function tell(hooks) {
  if (told) return;
  told = true;
  fs.writeSync(1, `\nslsart-hooks ${JSON.stringify(hooks)}\n`);
}

const events = (plugin) => Object.keys((plugin && plugin.hooks) || {});

// osls and serverless 3 have this class; serverless 4 does not show it.
function askFramework() {
  const PluginManager = require(path.join(directory, 'lib/classes/plugin-manager.js'));
  const { bin } = require(path.join(directory, 'package.json'));
  const load = PluginManager.prototype.loadAllPlugins;
  PluginManager.prototype.loadAllPlugins = async function loadAllPlugins(...list) {
    await load.apply(this, list);
    const hooks = {};
    for (const plugin of this.plugins) {
      const name = plugin.constructor && plugin.constructor._serverlessExternalPluginName;
      if (name) hooks[name] = events(plugin);
    }
    tell(hooks);
    process.exit(0);
  };
  process.argv = [process.execPath, path.join(directory, bin.osls || bin.serverless), ...words];
  require(process.argv[1]);
}

// Something that a plugin can ask anything of: every property and every result is itself.
const anything = new Proxy(function anything() {}, {
  get(_, key) {
    if (key === Symbol.toPrimitive) return () => '';
    if (key === Symbol.iterator) return function* none() {};
    return key === 'then' ? undefined : anything;
  },
  apply: () => anything,
  construct: () => anything,
});

function askPlugins() {
  const load = createRequire(path.resolve('serverless.yml'));
  const hooks = {};
  for (const name of JSON.parse(listed)) {
    for (const place of name.startsWith('.') ? [name] : [path.resolve(localPath, name), name]) {
      try {
        const found = load(place);
        const Plugin = (found && found.default) || found;
        hooks[name] = events(new Plugin(anything, anything, anything));
        break;
      } catch {
        // The plugin's hooks stay unknown.
      }
    }
  }
  return hooks;
}

process.on('exit', () => {
  if (told) return;
  tell(askPlugins());
  process.exitCode = 0;
});
try {
  askFramework();
} catch {
  process.exit(0);
}
