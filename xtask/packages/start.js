// Starts a program of the package for this platform, with the same arguments and streams.
const { spawnSync } = require('child_process')
const path = require('path')

module.exports = (name) => {
  const wanted = `portcullis-${process.platform}-${process.arch}`
  let folder
  try {
    folder = path.join(path.dirname(require.resolve(`${wanted}/package.json`)), 'bin')
  } catch {
    console.error(`portcullis: the package \`${wanted}\` is not installed
why: either there is no release for this platform, or npm was started with --omit=optional
fix: npm install --global portcullis --include=optional`)
    // Clients of agents read 2 as a denial: a hook that cannot judge denies.
    process.exit(2)
  }
  const ended = spawnSync(path.join(folder, name), process.argv.slice(2), { stdio: 'inherit' })
  if (ended.error) {
    console.error(`portcullis: ${ended.error.message}`)
    process.exit(2)
  }
  if (ended.signal) process.kill(process.pid, ended.signal)
  else process.exit(ended.status)
}
