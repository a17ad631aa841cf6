package kvasir.scripts.guest;

import java.util.Optional;
import kvasir.kvm.MsrTable;

/** The model-specific registers that guests can reach, as text. */
public final class MsrManual {
    private MsrManual() {}

    /** All of them. */
    public static String page() {
        return MsrTable.page();
    }

    /** One of them by its name; empty if there is none. */
    public static Optional<String> page(String name) {
        return MsrTable.page(name);
    }
}
