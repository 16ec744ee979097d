// Numbers, durations and dates as people read them.

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const number = n => n < 100000 ? whole.format(n) : short.format(n);

export function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
  return `${n < 10 && i ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

/** "850 ms", "12.4 s", "3 min", "5 h", "12 days" */
export function duration(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60e3) return `${(ms / 1000).toFixed(ms < 10e3 ? 1 : 0)} s`;
  if (ms < 3600e3) return `${Math.round(ms / 60e3)} min`;
  if (ms < 48 * 3600e3) return `${Math.round(ms / 3600e3)} h`;
  return `${Math.round(ms / 86400e3)} days`;
}

export function ago(date, now) {
  const ms = now - new Date(date);
  if (Math.abs(ms) < 1500) return 'now';
  const text = duration(Math.abs(ms) < 60e3 ? Math.round(Math.abs(ms) / 1000) * 1000 : Math.abs(ms)).replace('.0', '');
  return ms > 0 ? `${text} ago` : `in ${text}`;
}

export const full = date => new Date(date).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'long' });
export const clock = date => new Date(date).toLocaleTimeString('en-GB', { hour12: false });

export const states = { waiting: 'Waiting', active: 'Active', delayed: 'Delayed', prioritized: 'Prioritized',
  'waiting-children': 'Waiting for children', completed: 'Completed', failed: 'Failed', unknown: 'Unknown' };
