// Addresses of this run, from the variable that run.sh sets.
const ports = JSON.parse(process.env.E2E_PORTS ?? 'null');
if (!ports) throw new Error('E2E_PORTS is not set: run tests/e2e/run.sh, which builds the app and chooses the ports');

export const addresses = {
  ports,
  // A different host name than the others, because cookies are not separated by port.
  app: `http://localhost:${ports.app}`,
  idp: `http://127.0.0.1:${ports.idp}`,
  api: `http://127.0.0.1:${ports.api}`,
  model: `http://127.0.0.1:${ports.model}`,
};
