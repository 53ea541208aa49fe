// PostgreSQL refuses to run as root. Finds the account it can run as, gives it the data directory, and prints it as JSON
// (see supervise.js); exit code 1 when there is none.
//
//   node account.js <postgres executable> <data directory>
'use strict';
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const [postgres, directory] = process.argv.slice(2);

function idOf(flag, fallback) {
  try {
    return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim());
  } catch {
    return fallback;
  }
}

function give(target, uid, gid) {
  fs.lchownSync(target, uid, gid);
  if (fs.lstatSync(target).isDirectory()) for (const name of fs.readdirSync(target)) give(path.join(target, name), uid, gid);
}

const uid = idOf('-u', 65534);
const gid = idOf('-g', 65534);
const runs = (command, args, options) => spawnSync(command, args, { stdio: 'ignore', ...options }).status === 0;

// As nobody, when it can reach both the executable and the directory (no 0700 folder in the way).
const before = fs.statSync(directory);
fs.chownSync(directory, uid, gid);
// The shell enters the directory as that user; spawn's own cwd would still be entered as root.
if (runs('/bin/sh', ['-c', 'cd "$1" && exec "$2" --version', 'sh', directory, postgres], { uid, gid, cwd: '/' })) {
  give(directory, uid, gid);
  process.stdout.write(JSON.stringify({ uid, gid }));
} else {
  fs.chownSync(directory, before.uid, before.gid);
  if (!runs('unshare', ['--user', '--map-user=65534', '--map-group=65534', postgres, '--version'], { cwd: directory })) process.exit(1);
  give(directory, 0, 0);
  process.stdout.write(JSON.stringify({ unshare: true }));
}
