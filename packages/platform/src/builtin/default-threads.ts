/**
 * Threads of the gateway where none were asked for. A JavaScript app runs in them: one for each worker. Those that feed
 * Python take a third of the time that Python does: one for two workers is enough, up to the CPUs, and each one less
 * is memory and time to start that nobody misses.
 */
export function defaultThreads(language: 'python' | 'node', workers: number, cpus: number): number {
  return language === 'python' ? Math.min(Math.ceil(workers / 2), cpus) : workers
}
