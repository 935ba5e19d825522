-- What the node keeps. Times are seconds since 1970 (UTC); paths are relative to the node's folder.

CREATE TABLE instances (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- in the order of their arrival
    sop_instance_uid TEXT NOT NULL UNIQUE,
    sop_class_uid TEXT NOT NULL,
    transfer_syntax_uid TEXT NOT NULL,
    study_uid TEXT NOT NULL,
    series_uid TEXT NOT NULL,
    patient_id TEXT NOT NULL,               -- empty if there is none
    via TEXT NOT NULL,                      -- dimse or stow
    calling TEXT NOT NULL,                  -- AE title of the sender, or empty
    called TEXT NOT NULL,                   -- AE title that it asked for, or empty
    peer TEXT NOT NULL,                     -- its address
    path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,                  -- bytes of the file
    sha256 TEXT NOT NULL,                   -- of the dataset as it came, without file meta information
    state TEXT NOT NULL DEFAULT 'received', -- received, assigned, unwanted
    reason TEXT NOT NULL DEFAULT '',        -- why it is unwanted
    received_at REAL NOT NULL
);
CREATE INDEX instances_by_state ON instances (state, id);
CREATE INDEX instances_by_series ON instances (series_uid);

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pipeline TEXT NOT NULL,
    key TEXT NOT NULL,                      -- what groups its instances, such as the PatientID
    state TEXT NOT NULL DEFAULT 'collecting',
    attempts INTEGER NOT NULL DEFAULT 0,    -- how often it began to run
    owner TEXT NOT NULL DEFAULT '',         -- who runs or delivers it
    error TEXT NOT NULL DEFAULT '',         -- one line, without patient data
    traceback TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '{}',        -- JSON, for what the pipeline wants to remember
    uid_key TEXT NOT NULL DEFAULT (hex(randomblob(32))),  -- what the UIDs of its outputs follow from
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,               -- last change of its state
    last_input_at REAL,                     -- last instance that joined it
    not_before REAL NOT NULL DEFAULT 0,     -- nobody claims it earlier
    deadline REAL                           -- when the time of its present state is over
);
CREATE UNIQUE INDEX jobs_collecting ON jobs (pipeline, key) WHERE state = 'collecting';
CREATE INDEX jobs_by_state ON jobs (state, not_before, id);

CREATE TABLE job_inputs (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    instance_id INTEGER NOT NULL REFERENCES instances (id),
    name TEXT NOT NULL,                     -- of the pipeline's input
    PRIMARY KEY (job_id, name, instance_id)
) WITHOUT ROWID;
CREATE INDEX job_inputs_by_instance ON job_inputs (instance_id);

CREATE TABLE job_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    at REAL NOT NULL,
    state TEXT NOT NULL,
    message TEXT NOT NULL DEFAULT ''
);
CREATE INDEX job_events_by_job ON job_events (job_id, id);

CREATE TABLE outputs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,                     -- dicom, file
    path TEXT NOT NULL,                     -- a finished folder or file
    files INTEGER NOT NULL,                 -- how many are in it
    size INTEGER NOT NULL
);
CREATE INDEX outputs_by_job ON outputs (job_id);

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    output_id INTEGER NOT NULL REFERENCES outputs (id) ON DELETE CASCADE,
    destination TEXT NOT NULL,              -- a URL that dicomwright send takes
    options TEXT NOT NULL DEFAULT '{}',     -- JSON: options of the sender
    state TEXT NOT NULL DEFAULT 'pending',  -- pending, sending, sent, failed
    attempts INTEGER NOT NULL DEFAULT 0,
    stored INTEGER NOT NULL DEFAULT 0,      -- files, of the last attempt's ledger
    warnings INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    owner TEXT NOT NULL DEFAULT '',
    not_before REAL NOT NULL DEFAULT 0,
    updated_at REAL NOT NULL,
    UNIQUE (output_id, destination)
);
CREATE INDEX deliveries_by_state ON deliveries (state, not_before, id);
CREATE INDEX deliveries_by_job ON deliveries (job_id);
