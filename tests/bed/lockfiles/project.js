// Writes the monorepo whose lockfiles are fixtures: `node project.js KIND GIT_URL COMMIT REGISTRY`. A dependency of every origin:
// registry, hoisted, in two versions, aliased, git, tarball, vendored tarball, linked directory, workspace, patched.
const fs = require('fs');
const [kind, git, commit, registry] = process.argv.slice(2);
const is = (name) => kind.startsWith(name);

function write(path, content) {
  fs.mkdirSync(require('path').dirname(path), { recursive: true });
  fs.writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2) + '\n');
}

const patch = `diff --git a/patched.txt b/patched.txt
new file mode 100644
--- /dev/null
+++ b/patched.txt
@@ -0,0 +1 @@
+patched
`;

const workspaces = ['services/*', 'packages/*'];
const root = { name: 'shop', version: '0.0.0', private: true, devDependencies: { ms: '2.1.3', 'is-number': '7.0.0', 'left-pad': '1.3.0' } };
if (!is('pnpm')) root.workspaces = workspaces;
else {
  const patched = is('pnpm-12') ? `patchedDependencies:\n  left-pad@1.3.0: patches/left-pad.patch\n` : '';
  write('pnpm-workspace.yaml', `packages:\n${workspaces.map((path) => `  - '${path}'\n`).join('')}${patched}`);
}
if (is('pnpm') && !is('pnpm-12')) root.pnpm = { patchedDependencies: { 'left-pad@1.3.0': 'patches/left-pad.patch' } };
if (is('bun')) root.patchedDependencies = { 'left-pad@1.3.0': 'patches/left-pad.patch' };
if (is('yarn-4')) root.devDependencies['left-pad'] = 'patch:left-pad@npm%3A1.3.0#./patches/left-pad.patch';
write('package.json', root);
if (!is('npm')) write('patches/left-pad.patch', patch);

write('packages/hello/package.json', { name: '@shop/hello', version: '1.2.0', main: 'index.js' });
write('linked/package.json', { name: 'linked', version: '0.1.0', dependencies: { 'is-odd': '3.0.1' } });
write('vendor/vendored/package.json', { name: 'vendored', version: '1.0.0' });
write('vendor/vendored/index.js', '');
const orders = {
  name: 'orders',
  version: '0.0.0',
  private: true,
  devDependencies: {
    'serverless-pseudo-parameters': '2.5.0',
    '@shop/hello': is('npm') || is('yarn-1') ? '1.2.0' : 'workspace:*',
    'old-ms': 'npm:ms@2.0.0',
    ms: '2.1.2',
    trace: `${git}#${commit}`,
    remote: `${registry}left-pad/-/left-pad-1.2.0.tgz`,
    vendored: 'file:../../vendor/vendored-1.0.0.tgz',
    linked: `${is('npm') || is('bun') ? 'file' : 'link'}:../../linked`,
  },
};
write('services/orders/package.json', orders);
