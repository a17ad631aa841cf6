package kvasir.vmm.lockstep;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A QEMU with one emulated processor that waits at RESET, and the stub through which it is driven. */
final class Qemu implements AutoCloseable {
    private static final String PROGRAM = "qemu-system-x86_64";

    /** Bytes of guest memory. */
    static final long MEMORY = 32 << 20;

    private static final int IP = 16;
    private static final int FLAGS = 17;
    private static final int CS = 18;

    private final Process process;
    private final GdbStub stub;

    private Qemu(Process process, GdbStub stub) {
        this.process = process;
        this.stub = stub;
    }

    /** Where QEMU is installed, if it is. */
    static Optional<String> program() {
        String path = System.getenv().getOrDefault("PATH", "/usr/bin");
        return Stream.of(path.split(File.pathSeparator))
                .map(folder -> new File(folder, PROGRAM))
                .filter(File::canExecute)
                .map(File::getPath)
                .findFirst();
    }

    static Qemu start(String program) throws IOException, InterruptedException {
        int port;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        List<String> command = List.of(
                program,
                "-machine",
                "pc",
                "-accel",
                "tcg",
                "-cpu",
                "max",
                "-m",
                Long.toString(MEMORY >> 20),
                "-display",
                "none",
                "-nodefaults",
                "-no-user-config",
                "-monitor",
                "none",
                "-serial",
                "none",
                "-no-reboot",
                "-S",
                "-gdb",
                "tcp:127.0.0.1:" + port);
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            var qemu = new Qemu(process, GdbStub.connect(port, process));
            qemu.stub.ask("qSupported");
            // without a look at its description the stub refuses to set single registers
            qemu.stub.ask("qXfer:features:read:target.xml:0,ffb");
            qemu.stub.ask("Qqemu.PhyMemMode:1");
            return qemu;
        } catch (IOException e) {
            process.destroy();
            throw e;
        }
    }

    /**
     * One instruction, or one iteration of a repeated string instruction.
     *
     * @return the state behind it; empty if it ended in a triple fault, with which QEMU ends too
     */
    Optional<CpuState> step() throws IOException {
        try {
            String answer = stub.ask("s");
            if (answer.startsWith("W")) {
                return Optional.empty();
            }
            if (!answer.startsWith("T05")) {
                throw new IOException("QEMU stopped with " + answer);
            }
            return Optional.of(state());
        } catch (IOException e) {
            if (ended()) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Whether QEMU ends by itself, as it does after a triple fault. */
    private boolean ended() {
        try {
            return process.waitFor(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    CpuState state() throws IOException {
        return CpuState.parse(stub.monitor("info registers"));
    }

    byte[] read(long physical, int bytes) throws IOException {
        return stub.read(physical, bytes);
    }

    void write(long physical, byte[] data) throws IOException {
        stub.write(physical, data);
    }

    /** Sets a general register; QEMU's stub has RBX before RCX and RSI before RBP. */
    void setGpr(int number, long value) throws IOException {
        int[] order = {0, 2, 3, 1, 7, 6, 4, 5};
        stub.setRegister(number < 8 ? order[number] : number, 8, value);
    }

    void setRip(long value) throws IOException {
        stub.setRegister(IP, 8, value);
    }

    void setFlags(long value) throws IOException {
        stub.setRegister(FLAGS, 4, value);
    }

    /** Makes every segment register what a load of 0 in real mode makes it. */
    void clearSegments() throws IOException {
        for (int i = 0; i < 6; i++) {
            stub.setRegister(CS + i, 4, 0);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            stub.close();
        } finally {
            process.destroy();
            try {
                if (!process.waitFor(5, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
