// Node.js's own client with its defaults: node.js ANCHORS.pem HOST. Written for every version since 0.12.
var fs = require('fs'), net = require('net'), tls = require('tls');
var anchors = fs.readFileSync(process.argv[2], 'utf8').split(/(?=-----BEGIN)/), host = process.argv[3];
var options = {host: host, port: 443, ca: anchors};
if (!net.isIP(host)) options.servername = host;
var socket = tls.connect(options, function () {
  console.log('accepted');
  socket.write('GET / HTTP/1.0\r\n\r\n');
});
socket.on('data', function () { socket.end(); });
socket.on('error', function (error) { console.log('refused', error.code, error.message); });
socket.setTimeout(8000, function () { console.log('timeout'); socket.destroy(); });
