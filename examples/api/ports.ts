/** A port, by its UN/LOCODE. */
export interface Port {
  code: string
  name: string
  latitude: number
  longitude: number
}

export const ports: readonly Port[] = [
  { code: 'DKCPH', name: 'Copenhagen', latitude: 55.6761, longitude: 12.5683 },
  { code: 'NLRTM', name: 'Rotterdam', latitude: 51.9244, longitude: 4.4777 },
  { code: 'SGSIN', name: 'Singapore', latitude: 1.2644, longitude: 103.8222 },
  { code: 'USNYC', name: 'New York', latitude: 40.6848, longitude: -74.0157 },
  { code: 'ZACPT', name: 'Cape Town', latitude: -33.9066, longitude: 18.4333 },
]

export function findPort(code: string): Port | undefined {
  return ports.find((port) => port.code === code.toUpperCase())
}

const earthRadiusKm = 6371.0088
const kmPerNauticalMile = 1.852

/** Length of the great circle between two ports, in nautical miles: as the gull flies, not as ships sail. */
export function distanceNauticalMiles(from: Port, to: Port): number {
  const [a, b] = [toRadians(from.latitude), toRadians(to.latitude)]
  const longitude = toRadians(to.longitude - from.longitude)
  const haversine = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(longitude / 2) ** 2
  return (2 * earthRadiusKm * Math.asin(Math.sqrt(haversine))) / kmPerNauticalMile
}

function toRadians(degrees: number): number {
  return (degrees * Math.PI) / 180
}
