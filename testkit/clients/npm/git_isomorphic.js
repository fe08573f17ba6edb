// Plays a developer who uses isomorphic-git.
//
// Usage: git_isomorphic.js EMPTY SEEDED FOLDER, as git_dulwich.py.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const git = require('isomorphic-git')
const http = require('isomorphic-git/http/node')

const [empty, seeded, folder] = process.argv.slice(2)
const author = { name: 'Ada', email: 'ada@example.com' }
const onAuth = () => ({ username: process.env.GIT_USER, password: process.env.GIT_PASSWORD })
const over = { fs, http, onAuth }

async function commit (dir, files, message) {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    fs.writeFileSync(path.join(dir, name), content)
    await git.add({ fs, dir, filepath: name })
  }
  await git.commit({ fs, dir, author, message })
}

async function main () {
  const [first, second, clone, shallow] = ['first', 'second', 'clone', 'shallow'].map(name => path.join(folder, name))
  await git.init({ fs, dir: first, defaultBranch: 'main' })
  const bytes = Buffer.from(Array.from({ length: 256 * 40 }, (_, at) => at % 256))
  await commit(first, { a: 'a\n', 'deep/er/b': 'b\n'.repeat(3000), bytes }, 'one')
  await commit(first, { a: 'a\nand more\n' }, 'two')
  const one = { ref: 'main', remoteRef: 'refs/heads/main' }
  await git.push({ ...over, dir: first, url: empty, ...one })

  await git.clone({ ...over, dir: second, url: seeded })
  await git.clone({ ...over, dir: clone, url: seeded })
  await commit(clone, { 'of-isomorphic-git': 'isomorphic-git\n' }, 'of isomorphic-git')
  for (const remoteRef of ['refs/heads/main', 'refs/heads/from-client']) {
    await git.push({ ...over, dir: clone, url: seeded, ref: 'main', remoteRef })
  }
  await git.push({ ...over, dir: clone, url: seeded, ref: 'main', remoteRef: 'refs/heads/doomed', delete: true })
  await git.pull({ ...over, dir: second, url: seeded, ref: 'main', author })
  await git.clone({ ...over, dir: shallow, url: seeded, depth: 1, singleBranch: true })
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
