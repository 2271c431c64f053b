SELECT json_object('project', project, 'namespace', namespace, 'entries', count(*)) FROM t
GROUP BY project, namespace
