// Node.js's own server that wants a client certificate: server.js ANCHORS.pem CHAIN.pem KEY.pem
var fs = require('fs'), tls = require('tls');
var anchors = fs.readFileSync(process.argv[2], 'utf8').split(/(?=-----BEGIN)/);
var options = {
  ca: anchors, cert: fs.readFileSync(process.argv[3]), key: fs.readFileSync(process.argv[4]),
  requestCert: true, rejectUnauthorized: true
};
var server = tls.createServer(options, function (socket) {
  socket.on('data', function () { socket.end('HTTP/1.0 200 OK\r\n\r\nyes'); });
  socket.on('error', function () {});
});
server.on('clientError', function () {});
server.on('tlsClientError', function () {});
server.listen(443, '0.0.0.0');
