// Preloaded into the app's server: SIGUSR2 moves its clock ahead by eleven minutes.
const now = Date.now.bind(Date);
let ahead = 0;
Date.now = () => now() + ahead;
process.on('SIGUSR2', () => {
  ahead += 660_000;
  process.stdout.write(`the clock is ${ahead / 1000} s ahead\n`);
});
