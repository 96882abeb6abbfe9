// Where everything of a run listens, from the one variable that run.sh sets.
const ports = JSON.parse(process.env.E2E_PORTS ?? 'null');
if (!ports) throw new Error('started by tests/e2e/run.sh, which builds the app and chooses the ports');

export const addresses = {
  ports,
  // Another name than the other two have: cookies do not tell ports apart.
  app: `http://localhost:${ports.app}`,
  idp: `http://127.0.0.1:${ports.idp}`,
  api: `http://127.0.0.1:${ports.api}`,
  model: `http://127.0.0.1:${ports.model}`,
};
