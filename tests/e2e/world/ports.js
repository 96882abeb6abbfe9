// Free ports for a run. The app's build contains the addresses of the identity provider and the API.
import { createServer } from 'node:net';

/** Binds all ports before releasing them, so that they are distinct. */
export async function freePorts(names) {
  const held = await Promise.all(names.map(async (name) => [name, await hold()]));
  const ports = Object.fromEntries(held.map(([name, server]) => [name, server.address().port]));
  await Promise.all(held.map(([, server]) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function hold() {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
    server.on('error', reject);
  });
}
