// `bearward dev` and this app, started together and stopped together.
import { spawn } from 'node:child_process';

const manifest = new URL('../../../Cargo.toml', import.meta.url).pathname;
const children = [
  spawn('cargo', ['run', '--quiet', '--manifest-path', manifest, '--', 'dev'], { stdio: 'inherit' }),
  spawn(process.execPath, ['node_modules/next/dist/bin/next', 'dev'], { stdio: 'inherit' }),
];

// One alone is of no use; Ctrl-C reaches both by itself.
const stop = () => children.forEach((child) => child.kill());
for (const child of children) {
  child.on('error', ({ message }) => console.error(message));
  child.on('close', stop);
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
