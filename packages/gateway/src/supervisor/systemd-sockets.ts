const FIRST_DESCRIPTOR = 3

/**
 * Takes the sockets that a systemd socket unit passes to this process (sd_listen_fds(3)): their descriptors, none where
 * there are none. The variables that tell of them are taken out of the environment, since they hold for this process
 * alone.
 */
export function takeSystemdSockets(env: Record<string, string | undefined>, pid = process.pid): number[] {
  const { LISTEN_PID: forPid, LISTEN_FDS: count } = env
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name]
  if (forPid !== String(pid) || !/^[1-9]\d{0,3}$/.test(count ?? '')) return []
  return Array.from({ length: Number(count) }, (_, at) => FIRST_DESCRIPTOR + at)
}
