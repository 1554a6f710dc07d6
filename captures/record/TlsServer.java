import java.io.FileInputStream;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** A TLS 1.2 server on Java's own stack: TlsServer PORT KEYSTORE.p12. Answers one request a connection. */
public class TlsServer {
    public static void main(String[] arguments) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(new FileInputStream(arguments[1]), "changeit".toCharArray());
        KeyManagerFactory managers = KeyManagerFactory.getInstance("SunX509");
        managers.init(keys, "changeit".toCharArray());
        SSLContext context = SSLContext.getInstance("TLSv1.2");
        context.init(managers.getKeyManagers(), null, null);
        var listener = context.getServerSocketFactory().createServerSocket(Integer.parseInt(arguments[0]));
        while (true) {
            try (SSLSocket client = (SSLSocket) listener.accept()) {
                client.setEnabledProtocols(new String[] {"TLSv1.2"});
                client.getInputStream().read(new byte[1024]);
                client.getOutputStream().write("HTTP/1.0 200 OK\r\n\r\nhello\r\n".getBytes());
            } catch (java.io.IOException refused) {
                // The client went away; the next one may stay.
            }
        }
    }
}
