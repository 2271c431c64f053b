// node node.js FILE…: what dotenv reads of each file, an object a line. It is the
// module dotenv where node finds one, and else the copy beside this.
const fs = require('fs')
let dotenv
try { dotenv = require('dotenv') } catch { dotenv = require('./dotenv.js') }
for (const file of process.argv.slice(2)) {
  console.log(JSON.stringify(dotenv.parse(fs.readFileSync(file, 'utf8'))))
}
