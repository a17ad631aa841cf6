package kvasir.vmm.lockstep;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A client of the gdb remote serial protocol (GDB manual, "Remote Protocol"), as far as QEMU's stub needs it. */
final class GdbStub implements AutoCloseable {
    private static final int CONNECT_TRIES = 100;
    private static final int TIMEOUT_MS = 20_000;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    private GdbStub(Socket socket) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(TIMEOUT_MS);
        in = new BufferedInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /** Connects to a stub on this host that may still be starting. */
    static GdbStub connect(int port, Process process) throws IOException, InterruptedException {
        for (int tries = 1; ; tries++) {
            var socket = new Socket();
            try {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MS);
                return new GdbStub(socket);
            } catch (IOException e) {
                socket.close();
                if (tries == CONNECT_TRIES || !process.isAlive()) {
                    throw e;
                }
                Thread.sleep(50);
            }
        }
    }

    /** Sends a packet and gives the answer's payload. */
    String ask(String payload) throws IOException {
        send(payload);
        return receive();
    }

    private void send(String payload) throws IOException {
        byte[] bytes = payload.getBytes(StandardCharsets.ISO_8859_1);
        int sum = 0;
        for (byte b : bytes) {
            sum += b;
        }
        String packet = "$" + payload + "#%02x".formatted(sum & 0xff);
        out.write(packet.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    private String receive() throws IOException {
        int c = read();
        while (c != '$') {
            c = read();
        }
        var text = new StringBuilder();
        for (c = read(); c != '#'; c = read()) {
            text.append((char) c);
        }
        read();
        read();
        out.write('+');
        out.flush();
        return text.toString();
    }

    private int read() throws IOException {
        int c = in.read();
        if (c < 0) {
            throw new IOException("QEMU closed the connection");
        }
        return c;
    }

    /** What a command of QEMU's monitor prints. */
    String monitor(String command) throws IOException {
        var hex = new StringBuilder("qRcmd,");
        for (byte b : command.getBytes(StandardCharsets.ISO_8859_1)) {
            hex.append("%02x".formatted(b));
        }
        send(hex.toString());
        var text = new StringBuilder();
        for (String answer = receive(); answer.startsWith("O") && !answer.equals("OK"); answer = receive()) {
            for (int i = 1; i + 1 < answer.length(); i += 2) {
                text.append((char) Integer.parseInt(answer.substring(i, i + 2), 16));
            }
        }
        return text.toString();
    }

    /** Reads memory at linear addresses. */
    byte[] read(long address, int bytes) throws IOException {
        String hex = ask("m%x,%x".formatted(address, bytes));
        byte[] data = new byte[hex.startsWith("E") ? 0 : hex.length() / 2];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return data;
    }

    /** Writes memory at linear addresses. */
    void write(long address, byte[] data) throws IOException {
        int most = 1024;
        for (int at = 0; at < data.length; at += most) {
            int n = Math.min(most, data.length - at);
            var hex = new StringBuilder("M%x,%x:".formatted(address + at, n));
            for (int i = 0; i < n; i++) {
                hex.append("%02x".formatted(data[at + i]));
            }
            require(ask(hex.toString()));
        }
    }

    /** Sets a register by QEMU's number: 0 to 15 general, 16 IP, 17 EFLAGS, 18 to 23 CS SS DS ES FS GS. */
    void setRegister(int number, int bytes, long value) throws IOException {
        var hex = new StringBuilder("P%x=".formatted(number));
        for (int i = 0; i < bytes; i++) {
            hex.append("%02x".formatted(value >>> 8 * i & 0xff));
        }
        require(ask(hex.toString()));
    }

    private static void require(String answer) throws IOException {
        if (!answer.equals("OK")) {
            throw new IOException("QEMU's gdb stub answered " + answer);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
