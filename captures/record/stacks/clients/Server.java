import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A server on Java's own stack that wants a client certificate: Server ANCHORS.pem KEYS.p12 (password: changeit). */
public class Server {
    public static void main(String[] arguments) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (Certificate each : CertificateFactory.getInstance("X.509")
                .generateCertificates(new FileInputStream(arguments[0]))) {
            store.setCertificateEntry("trusted-" + store.size(), each);
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance("PKIX");
        managers.init(store);
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(new FileInputStream(arguments[1]), "changeit".toCharArray());
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(own, "changeit".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), managers.getTrustManagers(), null);
        SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(443);
        listener.setNeedClientAuth(true);
        while (true) {
            try (SSLSocket socket = (SSLSocket) listener.accept()) {
                socket.getInputStream().read(new byte[4096]);
                socket.getOutputStream().write("HTTP/1.0 200 OK\r\n\r\nyes".getBytes());
            } catch (Exception refused) {
                System.out.println("refused " + refused);
            }
        }
    }
}
