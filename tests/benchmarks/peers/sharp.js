// sharp, in the line protocol of worker.py: one thread, no cache, otherwise as it comes.
'use strict'
const fs = require('node:fs')
const readline = require('node:readline')
const sharp = require('sharp')

sharp.concurrency(1)
sharp.cache(false)
let source

const encoders = {
  jpeg: (image, quality) => image.jpeg({ quality }),
  webp: (image, quality) => image.webp({ quality, effort: 4 }),
  avif: (image, quality) => image.avif({ quality, effort: 1, chromaSubsampling: '4:2:0' }),
  png: (image) => image.png()
}

function make (target) {
  const image = sharp(source, { animated: target.animated })
    .autoOrient()
    .resize({ width: target.width, height: target.height ?? undefined, fit: 'cover' })
  return encoders[target.format](image, target.quality).toBuffer()
}

async function answer (request) {
  if (request.source) {
    source = fs.readFileSync(request.source)
    return {}
  }
  const begun = performance.now()
  const before = process.cpuUsage()
  const bodies = await Promise.all(request.targets.map(make))
  const { user, system } = process.cpuUsage(before)
  const wall = performance.now() - begun
  for (const [place, path] of (request.into ?? []).entries()) fs.writeFileSync(path, bodies[place])
  return { wall, cpu: (user + system) / 1000, sizes: bodies.map((body) => body.length) }
}

async function main () {
  console.log(JSON.stringify({ ready: `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}` }))
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(JSON.parse(line))))
  }
}

main()
