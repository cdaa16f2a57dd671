// Emits each word with its length, anchored; acks after its task ids have come.
const { BasicBolt } = require('./storm')

class Lengths extends BasicBolt {
  process(tup, done) {
    const [word] = tup.values
    this.emit({ tuple: [word, word.length], anchorTupleId: tup.id }, () => done())
  }
}

new Lengths().run()
