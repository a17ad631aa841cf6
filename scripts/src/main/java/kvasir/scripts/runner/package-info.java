/**
 * Running scripts as tests: which files, which cases, one case in its machine, pictures rewritten in place.
 */
@NullMarked
package kvasir.scripts.runner;

import org.jspecify.annotations.NullMarked;
