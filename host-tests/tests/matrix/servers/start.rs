//! Starts each server on a free port of 127.0.0.1.
//!
//! A server that cannot answer a test by itself forwards it to Node's server over HTTP/1.1.

use std::path::Path;
use std::process::Command;

use host_tests::support::Process;
use host_tests::support::peers::{self, Python, on_free_port};
use rustix::process::Signal;

use super::{Server, Site, write};
use crate::{go as go_peer, script};

/// The folder of Apache's modules in Debian.
const APACHE_MODULES: &str = "/usr/lib/apache2/modules";

/// Returns a program that is known to be installed, because rows of missing peers are skipped.
fn program(name: &str) -> Command {
    peers::find(name).unwrap_or_else(|| panic!("{name} is missing"))
}

fn listening(site: Site, command: &mut Command) -> Server {
    let (process, url) = Process::start_listening(command);
    Server { process, url, stop: Signal::TERM, _behind: None, site }
}

/// Starts Node's server for the given version of HTTP.
fn node_of(version: &str, site: Site) -> Server {
    let folder = site.files();
    listening(site, program("node").arg(script("server.mjs")).arg(version).arg(folder))
}

pub(super) fn node() -> Server {
    node_of("http2", Site::new())
}

/// Starts the backend of other servers, and returns its address.
fn origin() -> (Server, String) {
    let origin = node_of("http1", Site::new());
    let address = origin.url.strip_prefix("http://").unwrap().to_owned();
    (origin, address)
}

pub(super) fn go() -> Option<Server> {
    let site = Site::new();
    let folder = site.files();
    Some(listening(site, go_peer::peer()?.arg("serve").arg(folder)))
}

pub(super) fn nghttpd() -> Server {
    let site = Site::new();
    let folder = site.files();
    let (process, port) = on_free_port(|port| {
        let mut nghttpd = program("nghttpd");
        nghttpd.args(["--no-tls", "-a", "127.0.0.1", "--echo-upload", "--trailer", "x-check: sum", "-d"]);
        nghttpd.arg(&folder).arg(port.to_string());
        nghttpd
    });
    served(process, port, Signal::TERM, None, site)
}

pub(super) fn hypercorn() -> Option<Server> {
    let python = Python::with_packages()?;
    let site = Site::new();
    let folder = site.files();
    let (process, port) = on_free_port(|port| {
        let mut hypercorn = python.module("hypercorn");
        hypercorn.env("FOLDER", &folder).env("PYTHONPATH", script("")).env("PYTHONDONTWRITEBYTECODE", "1");
        hypercorn.args(["--graceful-timeout", "60", "-b", &format!("127.0.0.1:{port}"), "app:app"]);
        hypercorn
    });
    Some(served(process, port, Signal::TERM, None, site))
}

pub(super) fn nginx() -> Server {
    let site = Site::new();
    let (origin, address) = origin();
    let configuration = |port: u16| {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {};", site.path(what).display()))
            .join("\n");
        let text = format!(
            "daemon off; worker_processes 1; pid {pid}; events {{}}
            http {{
                access_log off; client_max_body_size 0; {temporary}
                server {{
                    listen 127.0.0.1:{port} http2;
                    root {files};
                    location /trailers {{ add_trailer x-check sum; }}
                    location /echo {{
                        proxy_pass http://{address}; proxy_http_version 1.1;
                        proxy_request_buffering off; proxy_buffering off;
                    }}
                }}
            }}",
            pid = site.path("pid").display(),
            files = site.files().display(),
        );
        let file = write(&site.path("nginx.conf"), &text);
        let mut nginx = program("nginx");
        nginx.args(["-e", "stderr", "-c"]).arg(file);
        nginx
    };
    let (process, port) = on_free_port(configuration);
    served(process, port, Signal::QUIT, Some(origin), site)
}

/// Describes a running server, possibly with a backend.
pub(crate) fn served(
    process: Process,
    port: u16,
    stop: Signal,
    behind: Option<Server>,
    site: Site,
) -> Server {
    Server { process, url: format!("http://127.0.0.1:{port}"), stop, _behind: behind.map(Box::new), site }
}

/// Returns a command for Apache with additional modules and configuration lines.
pub(crate) fn apache_command(site: &Site, port: u16, modules: &[&str], lines: &str) -> Command {
    let loaded: String = ["mpm_event", "authz_core", "http2"]
        .iter()
        .chain(modules)
        .map(|module| format!("LoadModule {module}_module {APACHE_MODULES}/mod_{module}.so\n"))
        .collect();
    let folder = site.path("").display().to_string();
    let text = format!(
        "ServerRoot {folder}\n{loaded}
        PidFile pid\nErrorLog errors\nServerName localhost\nListen 127.0.0.1:{port}\nUser www-data\nGroup www-data
        Protocols h2 h2c http/1.1\nStartServers 1\nDocumentRoot {files}\n{lines}\n",
        files = site.files().display(),
    );
    let file = write(&site.path("apache.conf"), &text);
    let mut apache = program("apache2");
    apache.args(["-DFOREGROUND", "-f"]).arg(file);
    apache
}

pub(super) fn apache() -> Server {
    let site = Site::new();
    let (origin, address) = origin();
    let lines = format!(
        "H2EarlyHints on
        SetEnv proxy-interim-response RFC
        ProxyPass /echo http://{address}/echo
        ProxyPass /hints http://{address}/hints
        ProxyPass /trailers http://{address}/trailers"
    );
    let modules = ["env", "proxy", "proxy_http"];
    let (process, port) = on_free_port(|port| apache_command(&site, port, &modules, &lines));
    served(process, port, Signal::WINCH, Some(origin), site)
}

/// Returns a command for HAProxy in front of another server, with options such as the protocol.
pub(crate) fn haproxy_command(site: &Site, port: u16, behind: &str) -> Command {
    let text = format!(
        "defaults
            mode http
            timeout connect 10s
            timeout client 60s
            timeout server 60s
        frontend here
            bind 127.0.0.1:{port} proto h2
            default_backend there
        backend there
            server there {behind}\n"
    );
    let file = write(&site.path("haproxy.cfg"), &text);
    let mut haproxy = program("haproxy");
    haproxy.args(["-db", "-f"]).arg(file);
    haproxy
}

pub(super) fn haproxy() -> Server {
    // Both sites have the same files.
    let site = Site::new();
    let (origin, address) = origin();
    let (process, port) = on_free_port(|port| haproxy_command(&site, port, &address));
    served(process, port, Signal::USR1, Some(origin), site)
}

pub(super) fn h2o() -> Server {
    let site = Site::new();
    let (origin, address) = origin();
    let (process, port) = on_free_port(|port| {
        let paths: String = ["echo", "hints", "trailers"]
            .map(|path| format!("      /{path}: {{proxy.reverse.url: 'http://{address}/{path}'}}\n"))
            .concat();
        let text = format!(
            "num-threads: 1\nlisten: {{host: 127.0.0.1, port: {port}}}\nhosts:\n  default:\n    paths:\n{paths}      \
             /: {{file.dir: {}}}\n",
            site.files().display()
        );
        let mut h2o = program("h2o");
        h2o.arg("-c").arg(write(&site.path("h2o.conf"), &text));
        h2o
    });
    served(process, port, Signal::TERM, Some(origin), site)
}

/// Returns a command for Caddy with additional directives for its site.
pub(crate) fn caddy_command(site: &Site, port: u16, lines: &str) -> Command {
    let text = format!(
        "{{\n admin off\n auto_https off\n grace_period 60s\n servers {{\n  protocols h1 h2 h2c\n }}\n}}
        http://:{port} {{\n bind 127.0.0.1\n{lines}\n}}\n"
    );
    let mut caddy = program("caddy");
    caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(write(&site.path("Caddyfile"), &text));
    in_folder(&mut caddy, &site.path("caddy"));
    caddy
}

/// Keeps the program's files out of the home directory.
fn in_folder(command: &mut Command, folder: &Path) {
    for variable in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
        command.env(variable, folder);
    }
}

pub(super) fn caddy() -> Server {
    let site = Site::new();
    let (origin, address) = origin();
    let lines = format!(
        "root * {}\n @behind path /echo /hints /trailers\n reverse_proxy @behind http://{address}\n file_server",
        site.files().display()
    );
    let (process, port) = on_free_port(|port| caddy_command(&site, port, &lines));
    served(process, port, Signal::TERM, Some(origin), site)
}
