package kvasir.vmm;

import java.util.Map;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.vmm.boot.BootException;
import kvasir.vmm.boot.KernelFile;

/** A kernel file, {@code multiboot("x.flat")}: what {@code boot VM from ...} takes. */
final class KernelView implements Described {
    static final Api<KernelView> API = Api.of("kernel file", KernelView.class, "A kernel that `boot` loads.")
            .property(
                    "format", "string", "The boot protocol.", "show multiboot(\"x.flat\").format", k -> k.file.format())
            .property("name", "string", "The file's name.", "show multiboot(\"x.flat\").name", k -> k.file.name())
            .build();

    private final KernelFile file;

    private KernelView(KernelFile file) {
        this.file = file;
    }

    /** A reader of one format. */
    interface Reader {
        KernelFile read() throws BootException;
    }

    /** What the reader finds, or ENOEXEC with the reason for which its format refuses the file. */
    static Object of(Reader reader) {
        try {
            return new KernelView(reader.read());
        } catch (BootException e) {
            return refused(e);
        }
    }

    static Outcome refused(BootException e) {
        return new Outcome.Failed("ENOEXEC", String.valueOf(e.getMessage()), Map.of());
    }

    KernelFile file() {
        return file;
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return file.name();
    }
}
