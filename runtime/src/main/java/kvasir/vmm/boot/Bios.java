package kvasir.vmm.boot;

import java.util.Arrays;
import java.util.List;

/** PC firmware: it ends at 4 GiB, its last 128 KiB end at 1 MiB too, and the boot processor begins at the reset vector. */
public final class Bios {
    private static final int LOW = 128 << 10;
    private static final int MOST = 16 << 20;
    private static final int PAGE = 4096;

    private Bios() {}

    /**
     * An image for memory that the VM has below 4 GiB.
     *
     * @throws BootException if it is not 4 KiB to 16 MiB in whole pages
     */
    public static KernelFile firmware(String name, byte[] image) throws BootException {
        if (image.length == 0 || image.length > MOST || image.length % PAGE != 0) {
            throw new BootException(name + " is no firmware image: it has " + image.length
                    + " bytes, and 4K to 16M in whole pages are expected");
        }
        int low = Math.min(image.length, LOW);
        var pieces = List.of(
                BootImage.Piece.of((1L << 32) - image.length, image),
                BootImage.Piece.of((1 << 20) - low, Arrays.copyOfRange(image, image.length - low, image.length)));
        return new KernelFile("bios", name, _ -> new BootImage(pieces, new BootImage.Reset()));
    }
}
