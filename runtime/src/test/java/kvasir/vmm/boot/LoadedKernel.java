package kvasir.vmm.boot;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import kvasir.registry.Bytes;

/** Kernel images in 64 MiB of memory, for tests. */
final class LoadedKernel {
    private static final long MEMORY = 64 << 20;

    private LoadedKernel() {}

    static BootImage load(byte[] file, int initrdBytes, String commandLine) throws BootException {
        return LinuxImage.kernel("k", file, commandLine, Bytes.of(new byte[initrdBytes]))
                .load(new KernelFile.Request("", Bytes.of(), MEMORY));
    }

    static ByteBuffer at(BootImage image, long gpa) {
        BootImage.Piece piece =
                image.pieces().stream().filter(p -> p.gpa() == gpa).findFirst().orElseThrow();
        return ByteBuffer.wrap(piece.content().toArray()).order(ByteOrder.LITTLE_ENDIAN);
    }

    static String refusal(byte[] file, int initrdBytes, String commandLine) {
        return String.valueOf(assertThrows(BootException.class, () -> load(file, initrdBytes, commandLine))
                .getMessage());
    }
}
