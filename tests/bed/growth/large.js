// Makes a zip as serverless plugins do, with archiver: large.js MODULES OUT LEVEL MOST-BYTES FOLDER…
// Takes files of the folders, in the order of their names, until they have so many bytes.
const fs = require('fs')
const path = require('path')
const [modules, out, level, most, ...folders] = process.argv.slice(2)
const archiver = require(path.join(modules, 'node_modules', 'archiver'))
const make = archiver.ZipArchive ? options => new archiver.ZipArchive(options) : options => archiver('zip', options)
const archive = make({ zlib: { level: Number(level) } })
archive.pipe(fs.createWriteStream(out))
let left = Number(most)
const seen = new Set()
const add = (folder, prefix) => {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const from = path.join(folder, entry.name)
    if (entry.isDirectory()) add(from, `${prefix}${entry.name}/`)
    else if (entry.isFile()) {
      const { size } = fs.statSync(from)
      if (size > left || seen.has(prefix + entry.name)) continue
      left -= size
      seen.add(prefix + entry.name)
      archive.file(from, { name: prefix + entry.name, date: new Date(0) })
    }
  }
}
for (const folder of folders) add(folder, `${path.basename(path.dirname(folder))}/`)
archive.finalize()
process.on('exit', () => console.log(`${seen.size} files, ${Number(most) - left} bytes`))
