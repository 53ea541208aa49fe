// Runs initdb as the account that account.js found, into a folder that takes its final name once it is whole.
//
//   node initdb.js <account> <cwd> <unfinished> <finished> <command> <args…>
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');

const [accountJson, cwd, unfinished, finished, ...command] = process.argv.slice(2);
const account = JSON.parse(accountJson);
fs.rmSync(unfinished, { recursive: true, force: true });
const [file, ...args] = account.unshare ? ['unshare', '--user', '--map-user=65534', '--map-group=65534', ...command] : command;
const result = spawnSync(file, args, { cwd, uid: account.uid, gid: account.gid, stdio: ['ignore', 'inherit', 'inherit'], windowsHide: true });
if (result.error) console.error(result.error.message);
if (result.status !== 0) process.exit(1);
fs.renameSync(unfinished, finished);
