import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * A TLS client on Java's own stack: TlsClient ADDRESS NAME VERSION STORE.pem [KEYS.p12]. Sends one request after the
 * handshake. With KEYS.p12 it has a certificate, and sends it where the server's list of issuers has the issuer.
 */
public class TlsClient {
    public static void main(String[] arguments) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (Certificate each : CertificateFactory.getInstance("X.509")
                .generateCertificates(new FileInputStream(arguments[3]))) {
            store.setCertificateEntry("trusted-" + store.size(), each);
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance("PKIX");
        managers.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        KeyManager[] keys = null;
        if (arguments.length > 4) {
            KeyStore own = KeyStore.getInstance("PKCS12");
            own.load(new FileInputStream(arguments[4]), "changeit".toCharArray());
            KeyManagerFactory factory = KeyManagerFactory.getInstance("SunX509");
            factory.init(own, "changeit".toCharArray());
            keys = factory.getKeyManagers();
        }
        context.init(keys, managers.getTrustManagers(), null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(arguments[0], 443)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setProtocols(new String[] {arguments[2]});
            parameters.setServerNames(List.of(new SNIHostName(arguments[1])));
            socket.setSSLParameters(parameters);
            socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
            socket.getInputStream().read(new byte[4096]);
        }
    }
}
