// What a thread module does: it leaves something in its thread before all else.
;(globalThis as { marker?: string }).marker = 'marked'
