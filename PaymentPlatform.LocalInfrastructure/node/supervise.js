// Runs one server and ends it when our stdin closes: that is, when the process that started us ends, however it ends.
//
//   node supervise.js '{"command","args","log","stop":"SIGINT","account":{},"pidFile"}'
//
// account: {} = as we are, {"uid","gid"} = as that user, {"unshare":true} = as nobody of a user namespace of its own.
// stopCommand (Windows has no signals): [file, args…] that ends the server instead of the signal.
// Until "ready" is read from stdin a server that ends takes us with it; afterwards it is started again.
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');

const spec = JSON.parse(process.argv[2]);
const KILL_AFTER_MS = 30_000;
// A signal to the whole process group reaches us too: our starter gets the time for its own graceful stop first.
const TERM_GRACE_MS = 45_000;

let server;
let ready = false;
let stopping = false;
let restartDelayMs = 500;

function start() {
  const account = spec.account ?? {};
  const [command, args] = account.unshare
    ? ['unshare', ['--user', '--map-user=65534', '--map-group=65534', spec.command, ...spec.args]]
    : [spec.command, spec.args];
  const log = fs.openSync(spec.log, 'a', 0o600);
  // A process group of its own: Ctrl+C in the terminal must not end the server before the services have let go of it.
  server = spawn(command, args, { stdio: ['ignore', log, log], detached: true, windowsHide: true, uid: account.uid, gid: account.gid, cwd: spec.cwd });
  fs.closeSync(log);
  const startedAt = Date.now();
  server.once('error', error => {
    fs.appendFileSync(spec.log, `${error.message}\n`);
    exited(startedAt);
  });
  server.once('exit', () => exited(startedAt));
  if (server.pid && spec.pidFile) fs.writeFileSync(spec.pidFile, String(server.pid));
}

function exited(startedAt) {
  server = undefined;
  if (spec.pidFile) fs.rmSync(spec.pidFile, { force: true });
  if (stopping) process.exit(0);
  if (!ready) process.exit(1);
  restartDelayMs = Date.now() - startedAt > 60_000 ? 500 : Math.min(restartDelayMs * 2, 10_000);
  fs.appendFileSync(spec.log, `The server ended unexpectedly; it is started again in ${restartDelayMs} ms.\n`);
  setTimeout(() => stopping || start(), restartDelayMs);
}

function stop() {
  if (stopping) return;
  stopping = true;
  if (!server) process.exit(0);
  if (spec.stopCommand) spawnSync(spec.stopCommand[0], spec.stopCommand.slice(1), { stdio: 'ignore', windowsHide: true });
  else server.kill(spec.stop);
  setTimeout(() => server?.kill('SIGKILL'), KILL_AFTER_MS);
}

process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGTERM', () => setTimeout(stop, TERM_GRACE_MS).unref());
process.stdout.on('error', () => {});
process.stdin.on('data', data => { ready ||= data.includes('ready'); });
process.stdin.on('end', stop);
process.stdin.on('error', stop);

start();
