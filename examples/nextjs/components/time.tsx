'use client';

/** A relative time or date. `title` and `dateTime` contain the exact time. */
export function Time({ at, style = 'relative' }: { at: string; style?: 'relative' | 'date' }) {
  const moment = new Date(at);
  const exact = moment.toLocaleString('en', { dateStyle: 'medium', timeStyle: 'medium' });
  return (
    <time dateTime={at} title={exact}>
      {style === 'date' ? moment.toLocaleDateString('en', { dateStyle: 'long' }) : ago(moment)}
    </time>
  );
}

const STEPS: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, 'second'],
  [60, 'minute'],
  [24, 'hour'],
  [7, 'day'],
  [Number.POSITIVE_INFINITY, 'week'],
];

function ago(moment: Date): string {
  let amount = (moment.getTime() - Date.now()) / 1000;
  if (Math.abs(amount) < 45) return 'just now';
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  for (const [size, unit] of STEPS) {
    if (Math.abs(amount) < size) return format.format(Math.round(amount), unit);
    amount /= size;
  }
  return format.format(Math.round(amount), 'week');
}
