/** Prometheus metrics of the server. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** A number that is read when the metrics are. */
export interface GaugeSource {
  readonly name: string
  readonly help: string
  /** Values by their labels. */
  readonly read: () => Promise<readonly GaugeValue[]> | readonly GaugeValue[]
}

export interface GaugeValue {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Metrics {
  /** Counts an answer. @param route the pattern of the route, never the path, which strangers choose */
  countRequest(method: string, route: string, status: number, seconds: number): void
  addGauge(source: GaugeSource): void
  /** The exposition format's text, and its media type. */
  render(): Promise<{ readonly text: string; readonly contentType: string }>
}

/** Metrics with a registry of their own, so that several servers fit in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const requests = new Counter({
    name: 'countersign_http_requests_total',
    help: 'Requests that were answered',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  })
  const durations = new Histogram({
    name: 'countersign_http_request_duration_seconds',
    help: 'Time from the request to its answer',
    labelNames: ['route'],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  })
  return {
    countRequest: (method, route, status, seconds) => {
      requests.inc({ method, route, status: String(status) })
      durations.observe({ route }, seconds)
    },
    addGauge: ({ name, help, read }) => {
      const gauge: Gauge = new Gauge({
        name,
        help,
        labelNames: ['log', 'service', 'reason'],
        registers: [registry],
        collect: async () => {
          gauge.reset()
          for (const { labels, value } of await read()) gauge.set({ ...labels }, value)
        },
      })
    },
    render: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  }
}
