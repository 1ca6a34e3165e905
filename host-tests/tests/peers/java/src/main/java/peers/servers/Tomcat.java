package peers.servers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.coyote.http2.Http2Protocol;
import peers.Routes;
import peers.Server;

/** Tomcat 11, embedded. */
public final class Tomcat implements Server {
    private final org.apache.catalina.startup.Tomcat tomcat = new org.apache.catalina.startup.Tomcat();
    private final Connector connector = new Connector();

    public Tomcat(Settings settings) throws Exception {
        File folder = Files.createTempDirectory("peers").toFile();
        folder.deleteOnExit();
        tomcat.setBaseDir(folder.getPath());
        tomcat.setSilent(true);
        connector.setPort(0);
        connector.setProperty("address", "127.0.0.1");
        Http2Protocol protocol = new Http2Protocol();
        if (settings.custom()) {
            protocol.setMaxConcurrentStreams(settings.streams());
            protocol.setInitialWindowSize(settings.window());
        }
        connector.addUpgradeProtocol(protocol);
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", null);
        org.apache.catalina.startup.Tomcat.addServlet(context, "routes", new Servlet());
        context.addServletMappingDecoded("/*", "routes");
        tomcat.start();
        settings.again(() -> {
            // Ends every connection gracefully; new ones are accepted again immediately.
            connector.pause();
            connector.resume();
        });
    }

    @Override
    public int port() {
        return connector.getLocalPort();
    }

    @Override
    public void close() throws Exception {
        tomcat.stop();
    }

    private static final class Servlet extends HttpServlet {
        private static final long serialVersionUID = 1;

        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response)
                throws IOException {
            try {
                Routes.serve(request.getMethod(), request.getRequestURI(), request.getInputStream(),
                        (status, length) -> {
                            response.setStatus(status);
                            if (status == 401) {
                                response.setHeader("www-authenticate", Routes.CHALLENGE);
                            }
                            if (length >= 0) {
                                response.setContentLengthLong(length);
                            }
                            return response.getOutputStream();
                        });
            } catch (InterruptedException error) {
                Thread.currentThread().interrupt();
            } catch (IOException error) {
                throw error;
            } catch (Exception error) {
                throw new IOException(error);
            }
        }
    }
}
