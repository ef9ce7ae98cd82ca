"""Hand-written yardsticks that import no engine code of ours."""
