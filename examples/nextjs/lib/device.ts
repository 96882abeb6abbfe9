import Bowser from 'bowser';

/** Describes a `User-Agent` in plain words, such as "Firefox on Linux". */
export function deviceName(userAgent: string | null | undefined): string {
  if (!userAgent) return 'Unknown device';
  const { browser, os, platform } = Bowser.parse(userAgent);
  const client = browser.name || userAgent.split('/')[0] || 'Unknown program';
  const system = platform.model === 'iPad' || platform.model === 'iPhone' ? platform.model : os.name;
  return system ? `${client} on ${system}` : client;
}
