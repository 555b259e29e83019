// Asks yarn's Plug'n'Play where packages are: `node -e THIS -- FILE DIRECTORY TOP NAMES [UNPACKED]`, FILE being its .pnp.cjs.
// Each name is looked up from DIRECTORY, then from the directories above it, no higher than TOP. What is in a zip is copied to
// UNPACKED, where one is named. Prints one JSON object.
'use strict';

const fs = require('fs');
const path = require('path');
const { pathToFileURL } = require('url');

const [file, directory, top, names, unpacked] = process.argv.slice(1);
const pnp = require(file);
pnp.setup();

// A package that has peers has a path of its own for each set of them, which is not on the disk.
const real = (location) => (pnp.resolveVirtual && pnp.resolveVirtual(location)) || location;
const isBelow = (place, outer) => place === outer || place.startsWith(outer.replace(/\/*$/, '/'));

function locate(name) {
  for (let place = directory; isBelow(place, top); place = path.dirname(place)) {
    try {
      const location = pnp.resolveToUnqualified(name, `${place}/`, { considerBuiltins: false });
      if (location) return location;
    } catch {
      // Nothing asks for it there.
    }
    if (place === path.dirname(place)) break;
  }
  return null;
}

// cpSync does not read zips.
function copy(from, to) {
  fs.mkdirSync(to, { recursive: true });
  for (const entry of fs.readdirSync(from)) {
    const [source, target] = [path.join(from, entry), path.join(to, entry)];
    const stat = fs.lstatSync(source);
    if (stat.isDirectory()) copy(source, target);
    else if (stat.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(source), target);
    else fs.writeFileSync(target, fs.readFileSync(source), { mode: stat.mode & 0o777 });
  }
}

function describe(location, number) {
  const json = fs.readFileSync(path.join(location, 'package.json'), 'utf8');
  const { name, bin } = JSON.parse(json);
  let at = real(location);
  if (unpacked && /\.zip\//.test(at)) {
    copy(location, path.join(unpacked, String(number)));
    at = path.join(unpacked, String(number));
  }
  const programs = typeof bin === 'string' ? { [name]: bin } : bin || {};
  return { location, directory: at, programs, json };
}

const found = {};
JSON.parse(names).forEach((name, number) => {
  const location = locate(name);
  if (location) found[name] = describe(location, number);
});

// As yarn itself sets it, before what is there and instead of another Plug'n'Play's.
function options() {
  const loader = path.join(path.dirname(file), '.pnp.loader.mjs');
  const own = [`--require ${JSON.stringify(file)}`];
  if (fs.existsSync(loader)) own.push(`--experimental-loader ${pathToFileURL(loader).href}`);
  const others = (process.env.NODE_OPTIONS || '')
    .replace(/--require[\s=]+("(?:\\.|[^"\\])*\.pnp\.c?js"|\S*\.pnp\.c?js)(?=\s|$)/g, '')
    .replace(/--experimental-loader[\s=]+\S*\.pnp\.loader\.mjs(?=\s|$)/g, '');
  return [...own, others.trim()].filter(Boolean).join(' ');
}

function outside() {
  const all = pnp.getAllLocators ? pnp.getAllLocators() : [];
  const information = all.map((locator) => pnp.getPackageInformation(locator)).filter(Boolean);
  return information.map(({ packageLocation }) => real(packageLocation)).find((place) => !isBelow(place, top));
}

console.log(JSON.stringify({ options: options(), outside: outside() || null, found }));
