import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { eventually } from '../support/eventually'
import { type Link, type LinkState, openLink } from '../support/torture/proxy'

/** An echo that remembers what it has heard. */
let echo: Server
let heard = ''
let link: Link
const clients: Socket[] = []

beforeAll(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      heard += chunk
      socket.write(chunk)
    })
  })
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
})
beforeEach(async () => {
  heard = ''
  link = await openLink((echo.address() as AddressInfo).port, () => 0)
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await link.close()
})
afterAll(() => {
  echo.close()
})

/** A client, what it has got back, and whether its connection has ended. */
function open() {
  const seen = { text: '', hasEnded: false }
  const socket = connect(link.port, '127.0.0.1')
  clients.push(socket)
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    seen.text += chunk
  })
  socket.on('close', () => {
    seen.hasEnded = true
  })
  return { socket, seen }
}
const until = (condition: () => boolean) => eventually(async () => (condition() ? true : null))

it('a link passes what is sent, both ways', async () => {
  const { socket, seen } = open()
  socket.write('one')
  await until(() => seen.text === 'one')
  socket.write('two')
  await until(() => seen.text === 'onetwo')
})

it('a late piece is not overtaken by one that is not late any more', async () => {
  const { socket, seen } = open()
  link.set('delay')
  socket.write('late ')
  await once(socket, 'connect')
  await until(() => heard === '' && socket.bytesWritten === 5)
  link.set('pass')
  socket.write('later')
  await until(() => seen.text.length === 10)
  expect([heard, seen.text]).toEqual(['late later', 'late later'])
})

it.each<readonly [LinkState, string]>([
  ['mute', 'before now'],
  ['lose', 'before '],
])('a link in the state %s swallows, and the connection is of no use any more', async (state, arrived) => {
  const { socket, seen } = open()
  socket.write('before ')
  await until(() => seen.text === 'before ')
  link.set(state)
  socket.write('now')
  await until(() => link.swallowed === 3)
  expect([heard, seen]).toEqual([arrived, { text: 'before ', hasEnded: false }])
  link.set('pass')
  await until(() => seen.hasEnded)
  const next = open()
  next.socket.write('next')
  await until(() => next.seen.text === 'next')
  expect(heard).toBe(`${arrived}next`)
})

it('a link that refuses ends its connections, and new ones', async () => {
  const { socket, seen } = open()
  socket.write('one')
  await until(() => seen.text === 'one')
  link.set('refuse')
  await until(() => seen.hasEnded)
  const later = open()
  await until(() => later.seen.hasEnded)
  expect(heard).toBe('one')
})
